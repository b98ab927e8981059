scenario {
  title    = "claimName is required",
  covers   = { "VOL-PVC-011" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

step "Claiming volumes without a name:"
refusal.of_volume { pvc = {} }
say "left out: 400"
refusal.of_volume { pvc = { createIfNotExists = true, deleteOnSandboxTermination = true } }
say "left out, with other members: 400"
for _, claim in ipairs { api.null, 7, true } do
  refusal.of_volume { pvc = refusal.pvc(claim) }
  say(refusal.show(claim) .. ": 400")
end
