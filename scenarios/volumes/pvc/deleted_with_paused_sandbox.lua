scenario {
  title    = "A volume made for a sandbox is deleted with it, also while it is paused",
  covers   = { "VOL-PVC-006" },
  requires = { "volumes.pvc", "pause" },
}

local removal = require "removal"

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

step "Pausing the sandbox:"
sandbox:pause()
expect(volumes.exists(claim), "the volume of a paused sandbox"):is(true)
say "The volume is there"

step "Deleting it:"
sandbox:kill()
removal.await(claim)
say "The volume is gone"
