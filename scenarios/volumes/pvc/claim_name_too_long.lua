scenario {
  title    = "claimName: not more than 253 characters",
  covers   = { "VOL-PVC-012" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

step "Claiming volumes whose names are too long:"
for _, length in ipairs { 254, 255, 256, 1000 } do
  local claim = ("a"):rep(length)
  refusal.of_volume({ pvc = refusal.pvc(claim) }, claim)
  say(length .. " characters: 400")
end
