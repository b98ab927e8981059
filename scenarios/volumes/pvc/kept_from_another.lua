scenario {
  title    = "A volume that an earlier sandbox left is never deleted",
  covers   = { "VOL-PVC-007" },
  requires = { "volumes.pvc", "commands" },
}

local removal = require "removal"
local shell = require "shell"

local left = volumes.name("left-by-a")
-- Goes with sandbox B: once it is gone, whatever goes has gone.
local made = volumes.name("made-for-b")

local function mount(name, claim, delete)
  return {
    name = name,
    pvc = { claimName = claim, deleteOnSandboxTermination = delete },
    mountPath = "/mnt/" .. name,
  }
end

-- The server made this volume too, but not for sandbox B.
step("Sandbox A", "Creating sandbox and a volume that outlives it...")
local a = Sandbox.create { volumes = { mount("left", left, false) } }
shell.run(a, "echo from-a > /mnt/left/a.txt")
a:kill()
say "[Sandbox A] Deleted"

step("Sandbox B", "Claiming the volume with deleteOnSandboxTermination true...")
local b = Sandbox.create { volumes = { mount("left", left, true), mount("made", made, true) } }
say(shell.run(b, "cat /mnt/left/a.txt"))
b:kill()
removal.await(made)
say "[Sandbox B] Deleted, and the volume that was made for it"

expect(volumes.exists(left), "the volume, which was there before sandbox B"):is(true)
expect(volumes.read(left, "a.txt"), "what sandbox A wrote"):is("from-a\n")
say "The volume of sandbox A is there with its data"
