scenario {
  title    = "A refusal names the volume that breaks the schema",
  covers   = { "VOL-COMMON-009" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local claim = volumes.name("never-made")

-- Expects that a request with a volume which has this member, between two that are right, is refused,
-- with the volume's name or `told` in the message.
local function expect_named(member, value, told)
  local volume = { name = "vol-at-fault", mountPath = "/mnt/b", pvc = refusal.pvc(claim) }
  volume[member] = value
  refusal.of_volumes({
    { name = "vol-before", mountPath = "/mnt/a", pvc = refusal.pvc(claim) },
    volume,
    { name = "vol-after", mountPath = "/mnt/c", pvc = refusal.pvc(claim) },
  }, { "vol-at-fault", told })
end

step "Asking for three volumes of which one breaks the schema:"
expect_named("mountPath", "relative/path", "relative/path")
say "The one whose mountPath is relative is named, by its name or its value"
expect_named("mountPath", nil)
say "The one without a mountPath is named"
expect_named("pvc", { claimName = "Not_A_Claim" }, "Not_A_Claim")
say "The one whose claimName is wrong is named"
expect_named("readOnly", "maybe", "maybe")
say "The one whose readOnly is no boolean is named"
expect_named("host", { path = "/mnt" })
say "The one with two backends is named"
