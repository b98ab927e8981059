scenario {
  title    = "A volume with several backends",
  covers   = { "VOL-COMMON-003" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local claim = volumes.name("never-made")
local host = { path = "/osb-no-such-directory" }
local ossfs = { bucket = "bucket", endpoint = "oss.invalid", accessKeyId = "id", accessKeySecret = "secret" }

step "Giving a volume more than one backend:"
refusal.of_volume { pvc = refusal.pvc(claim), host = host }
say "pvc and host: 400"
refusal.of_volume { pvc = refusal.pvc(claim), ossfs = ossfs }
say "pvc and ossfs: 400"
refusal.of_volume { host = host, ossfs = ossfs }
say "host and ossfs: 400"
refusal.of_volume { pvc = refusal.pvc(claim), host = host, ossfs = ossfs }
say "all: 400"
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
