scenario {
  title    = "A readOnly that only looks like a boolean",
  covers   = { "VOL-COMMON-007" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

step "Mounting a volume with readOnly:"
local claim = volumes.name("never-made")
for _, value in ipairs { "true", "false", "True", "yes", "no", "on", "1", 1, 0 } do
  refusal.of_volume({ pvc = refusal.pvc(claim), readOnly = value }, value)
  say(refusal.show(value) .. ": 400")
end
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
