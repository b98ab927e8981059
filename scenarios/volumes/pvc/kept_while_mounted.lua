scenario {
  title    = "A volume is not deleted while another sandbox mounts it",
  covers   = { "VOL-PVC-009" },
  requires = { "volumes.pvc", "commands" },
}

local shell = require "shell"

local claim = volumes.name("made-for-a")

local function sandbox(delete)
  return Sandbox.create {
    volumes = {
      {
        name = "v",
        pvc = { claimName = claim, deleteOnSandboxTermination = delete },
        mountPath = "/mnt/data",
      },
    },
  }
end

step("Sandbox A", "Creating sandbox and a volume that is to go with it...")
local a = sandbox(true)
shell.run(a, "echo from-a > /mnt/data/a.txt")

step("Sandbox B", "Mounting the same volume...")
local b = sandbox(false)

step("Sandbox A", "Deleting...")
a:kill()

step("Sandbox B", "Reading and writing:")
say(shell.run(b, "cat /mnt/data/a.txt"))
shell.run(b, "echo from-b > /mnt/data/b.txt")
expect(volumes.read(claim, "b.txt"), "the file seen from outside"):is("from-b\n")
expect(b):has_mount { mountPath = "/mnt/data", claimName = claim }
say "[Sandbox B] The volume is there with its data"
