scenario {
  title    = "A volume with several backends",
  covers   = { "VOL-COMMON-003" },
  requires = { "volumes.pvc" },
}

local ossfs = require "ossfs"
local refusal = require "refusal"

local claim = volumes.name("never-made")
local host = { path = "/osb-no-such-directory" }
local bucket = ossfs.entry().ossfs

step "Giving a volume more than one backend:"
refusal.of_volume { pvc = refusal.pvc(claim), host = host }
say "pvc and host: 400"
refusal.of_volume { pvc = refusal.pvc(claim), ossfs = bucket }
say "pvc and ossfs: 400"
refusal.of_volume { host = host, ossfs = bucket }
say "host and ossfs: 400"
refusal.of_volume { pvc = refusal.pvc(claim), host = host, ossfs = bucket }
say "all: 400"
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
