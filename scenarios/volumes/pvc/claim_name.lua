scenario {
  title    = "claimName: what it consists of",
  covers   = { "VOL-PVC-011" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local wrong = {
  "", "A", "Ab", "a_b", "a.b", "-a", "a-", "-", "a b", " a", "a ", "a\n", "/etc", "../a", "a/b", "a:b",
  "ä", "osb*",
}

step "Claiming volumes with these names:"
for _, claim in ipairs(wrong) do
  refusal.of_volume({ pvc = refusal.pvc(claim) }, claim)
  say(refusal.show(claim) .. ": 400")
end
