scenario {
  title    = "A volume that the engine cannot make",
  covers   = { "VOL-PVC-024" },
  requires = { "volumes.pvc", "commands" },
}

local attempt = require "attempt"

-- The API allows a name of one character, Docker does not. A digit of this run's id, so that two runs
-- seldom meet.
local claim = api.unique("run"):match("^run%-(%x)")

step "Claiming a volume with a name of one character:"
local sandbox = attempt.create {
  volumes = {
    { name = "v", pvc = { claimName = claim, deleteOnSandboxTermination = true }, mountPath = "/mnt/data" },
  },
}
-- A runtime may take the name. Then the volume must be there: to go on without it is no way out.
if sandbox then
  expect(volumes.exists(claim), "the volume"):is(true)
  expect(sandbox):has_mount { mountPath = "/mnt/data", claimName = claim }
end
say "It runs with its volume, or fails with the error envelope and without a sandbox"
