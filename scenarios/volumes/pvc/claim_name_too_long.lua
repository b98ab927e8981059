scenario {
  title    = "claimName: not more than 253 characters",
  covers   = { "VOL-PVC-012" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local good = volumes.name("claim")

step "Claiming volumes whose names are too long:"
for _, length in ipairs { 254, 255, 256, 1000 } do
  refusal.of_claim(good .. ("a"):rep(length - #good))
  say(length .. " characters: 400")
end
