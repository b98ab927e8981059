scenario {
  title    = "A volume's name: not more than 63 characters",
  covers   = { "VOL-COMMON-004" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

step "Naming a volume with too many characters:"
local claim = volumes.name("never-made")
for _, length in ipairs { 64, 65, 253 } do
  -- A message may cut it.
  local name = ("n"):rep(length)
  refusal.of_volume({ name = name, pvc = refusal.pvc(claim) }, name:sub(1, 16))
  say(length .. ": 400")
end
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
