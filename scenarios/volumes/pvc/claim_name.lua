scenario {
  title    = "claimName: what it consists of",
  covers   = { "VOL-PVC-011" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

-- Names that are there for one reason: this run made them.
local good = volumes.name("claim")
local wrong = {
  good .. "-A", "A-" .. good, good .. "_b", good .. ".b", "-" .. good, good .. "-", good .. " b", " " .. good,
  good .. " ", good .. "\n", "/" .. good, "../" .. good, good .. "/b", good .. ":b", good .. "ä", good .. "*",
}

step "Claiming volumes with these names:"
for _, claim in ipairs(wrong) do
  refusal.of_claim(claim)
  say(refusal.show(claim) .. ": 400")
end

step "Claiming volumes with hardly a name:"
for _, claim in ipairs { "", "A", "-" } do
  refusal.of_volume({ pvc = refusal.pvc(claim) }, claim)
  say(refusal.show(claim) .. ": 400")
end
