scenario {
  title    = "A volume with a claim and a host directory that is allowed",
  covers   = { "VOL-COMMON-003" },
  requires = { "volumes.pvc", "volumes.host" },
}

local refusal = require "refusal"

local there, missing = volumes.create("there"), volumes.name("never-made")
local allowed = { path = host_dirs.create("allowed").path }

step "Giving a volume two backends, each of which would do:"
refusal.of_volume { pvc = { claimName = there.name }, host = allowed }
say "a volume that is there and a host directory: 400"
refusal.of_volume { pvc = refusal.pvc(missing), host = allowed }
say "a volume that is not there and a host directory: 400"
expect(volumes.exists(missing), "the volume"):is(false)
say "No volume was made"
