scenario {
  title    = "A volume made for a sandbox is deleted with it",
  covers   = { "VOL-PVC-006" },
  requires = { "volumes.pvc", "commands" },
}

local removal = require "removal"
local shell = require "shell"

local claim = volumes.name("short-lived")

local sandbox = Sandbox.create {
  volumes = {
    {
      name = "v",
      pvc = { claimName = claim, deleteOnSandboxTermination = true },
      mountPath = "/mnt/data",
    },
  },
}

step "Writing into the new volume:"
shell.run(sandbox, "echo precious > /mnt/data/file.txt")
expect(volumes.read(claim, "file.txt"), "the file seen from outside"):is("precious\n")
say "Seen from outside"

step "Deleting the sandbox:"
sandbox:kill()
removal.await(claim)
say "The volume is gone"
