scenario {
  title    = "A volume that the engine cannot make",
  covers   = { "VOL-PVC-024" },
  requires = { "volumes.pvc" },
}

local failure = require "failure"

-- The API allows a name of one character, Docker does not. A digit of this run's id, so that two runs
-- seldom meet.
local claim = api.unique("run"):match("^run%-(%x)")

step "Claiming a volume with a name of one character:"
-- A runtime may take the name.
failure.of {
  volumes = {
    { name = "v", pvc = { claimName = claim, deleteOnSandboxTermination = true }, mountPath = "/mnt/data" },
  },
}
say "It runs, or fails with the error envelope and without a sandbox"
