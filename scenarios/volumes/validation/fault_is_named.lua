scenario {
  title    = "A refusal names the volume at fault",
  covers   = { "VOL-COMMON-009" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local missing, beside = volumes.name("missing"), volumes.name("beside")

step "Asking for three volumes of which one cannot be had:"
refusal.between(beside, "pvc", { claimName = missing, createIfNotExists = false }, missing)
say "The one that is not there is named, by its name or its value"
refusal.between(beside, "subPath", "out/../../there", "out/../../there")
say "The one whose subPath leads out is named"
refusal.between(beside, "name", "vol-after", "vol-after")
say "The one whose name is there twice is named"
