scenario {
  title    = "A refusal names the volume that breaks the schema",
  covers   = { "VOL-COMMON-009" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local claim = volumes.name("never-made")

step "Asking for three volumes of which one breaks the schema:"
refusal.between(claim, "mountPath", "relative/path", "relative/path")
say "The one whose mountPath is relative is named, by its name or its value"
refusal.between(claim, "mountPath", nil)
say "The one without a mountPath is named"
refusal.between(claim, "pvc", { claimName = "Not_A_Claim" }, "Not_A_Claim")
say "The one whose claimName is wrong is named"
refusal.between(claim, "readOnly", "maybe", "maybe")
say "The one whose readOnly is no boolean is named"
refusal.between(claim, "host", { path = "/mnt" })
say "The one with two backends is named"
