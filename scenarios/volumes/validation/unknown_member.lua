scenario {
  title    = "Unknown members of a volume and of its claim",
  covers   = { "VOL-COMMON-007" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local claim = volumes.name("never-made")

step "Giving a volume another member:"
-- The last ones are near a member that exists: a client that misspells it must learn of that.
for _, member in ipairs { "bogus", "mountOptions", "readonly", "read_only", "subpath" } do
  refusal.of_volume({ pvc = refusal.pvc(claim), [member] = "x" }, member)
  say(member .. ": 400")
end

step "Giving a claim another member:"
for _, member in ipairs { "bogus", "driver", "readOnly", "claim_name", "createIfNotExist" } do
  local pvc = refusal.pvc(claim)
  pvc[member] = "x"
  refusal.of_volume({ pvc = pvc }, member)
  say(member .. ": 400")
end

expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
