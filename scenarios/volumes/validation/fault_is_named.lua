scenario {
  title    = "A refusal names the volume at fault",
  covers   = { "VOL-COMMON-009" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local missing, beside = volumes.name("missing"), volumes.name("beside")

-- Expects that a request with a volume which has this member, between two that are right, is refused,
-- with the volume's name or `value` in the message.
local function expect_named(member, value, told)
  local volume = { name = "vol-at-fault", mountPath = "/mnt/b", pvc = { claimName = missing } }
  volume[member] = value
  refusal.of_volumes({
    { name = "vol-before", mountPath = "/mnt/a", pvc = refusal.pvc(beside) },
    volume,
    { name = "vol-after", mountPath = "/mnt/c", pvc = refusal.pvc(beside) },
  }, { "vol-at-fault", told })
end

step "Asking for three volumes of which one cannot be had:"
expect_named("pvc", { claimName = missing, createIfNotExists = false }, missing)
say "The one that is not there is named, by its name or its value"
expect_named("subPath", "out/../../there", "out/../../there")
say "The one whose subPath leads out is named"
expect_named("name", "vol-after", "vol-after")
say "The one whose name is there twice is named"
