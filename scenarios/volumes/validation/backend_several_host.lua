scenario {
  title    = "A volume with a claim and a host directory that is allowed",
  covers   = { "VOL-COMMON-003" },
  requires = { "volumes.pvc", "volumes.host" },
}

local refusal = require "refusal"

local there, missing = volumes.create("there"), volumes.name("never-made")
local directory = host_dirs.create("allowed")
-- A server may make a directory that is not there: not for a request that it refuses.
local allowed = { path = directory.path .. "/new" }

step "Giving a volume two backends, each of which would do:"
refusal.of_volume { pvc = { claimName = there.name }, host = allowed }
say "a volume that is there and a host directory: 400"
refusal.of_volume { pvc = refusal.pvc(missing), host = allowed }
say "a volume that is not there and a host directory: 400"
expect(volumes.exists(missing), "the volume"):is(false)
expect(#host_dirs.list(directory.path), "what is in the directory above"):is(0)
say "Neither a volume nor a directory was made"
