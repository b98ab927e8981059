scenario {
  title    = "A second sandbox does not take a volume along",
  covers   = { "VOL-PVC-007" },
  requires = { "volumes.pvc", "commands" },
}

local pvc = require "pvc"
local shell = require "shell"

local claim = volumes.name("made-for-a")

local function sandbox()
  return pvc.sandbox(claim, { deleteOnSandboxTermination = true })
end

step("Sandbox A", "Creating sandbox and its volume...")
local a = sandbox()
shell.run(a, "echo from-a > /mnt/shared/a.txt")

step("Sandbox B", "Claiming the same volume, deleteOnSandboxTermination true as well...")
local b = sandbox()
say(shell.run(b, "cat /mnt/shared/a.txt"))
b:kill()
say "[Sandbox B] Deleted"

step("Sandbox A", "Going on...")
expect(volumes.exists(claim), "the volume, which was there before sandbox B"):is(true)
shell.run(a, "cat /mnt/shared/a.txt && echo still-here > /mnt/shared/later.txt")
expect(volumes.read(claim, "later.txt"), "the file seen from outside"):is("still-here\n")
say "[Sandbox A] The volume is there with its data"
