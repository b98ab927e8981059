scenario {
  title    = "A volume is not deleted while another sandbox mounts it",
  covers   = { "VOL-PVC-009" },
  requires = { "volumes.pvc", "commands" },
}

local pvc = require "pvc"
local shell = require "shell"

local claim = volumes.name("made-for-a")

step("Sandbox A", "Creating sandbox and a volume that is to go with it...")
local a = pvc.sandbox(claim, { deleteOnSandboxTermination = true })
shell.run(a, "echo from-a > /mnt/shared/a.txt")

step("Sandbox B", "Mounting the same volume...")
local b = pvc.sandbox(claim)

step("Sandbox A", "Deleting...")
a:kill()

step("Sandbox B", "Reading and writing:")
say(shell.run(b, "cat /mnt/shared/a.txt"))
shell.run(b, "echo from-b > /mnt/shared/b.txt")
expect(volumes.read(claim, "b.txt"), "the file seen from outside"):is("from-b\n")
expect(b):has_mount { mountPath = "/mnt/shared", claimName = claim }
say "[Sandbox B] The volume is there with its data"
