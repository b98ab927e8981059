scenario {
  title  = "A volume whose only backend is unknown",
  covers = { "VOL-COMMON-003" },
}

local refusal = require "refusal"

step "Giving a volume a backend that does not exist:"
for _, backend in ipairs { "nfs", "emptyDir", "PVC" } do
  refusal.of_volume({ [backend] = { server = "127.0.0.1", path = "/exported" } }, backend)
  say(backend .. ": 400")
end
