scenario {
  title    = "Flags of a claim that only look like booleans",
  covers   = { "ERR-001" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

step "Claiming a volume with:"
local claim = volumes.name("never-made")
for _, member in ipairs { "createIfNotExists", "deleteOnSandboxTermination" } do
  for _, value in ipairs { "true", "no", 1, 0 } do
    local pvc = refusal.pvc(claim)
    pvc[member] = value
    refusal.of_volume({ pvc = pvc }, value)
    say(member .. " " .. refusal.show(value) .. ": 400")
  end
end
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
