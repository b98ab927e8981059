scenario {
  title    = "An unknown backend beside a known one",
  covers   = { "VOL-COMMON-003", "VOL-COMMON-007" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

step "Giving a volume a backend that does not exist and a claim:"
local claim = volumes.name("never-made")
for _, backend in ipairs { "nfs", "emptyDir", "PVC" } do
  local unknown = { server = "127.0.0.1", path = "/exported" }
  refusal.of_volume({ pvc = refusal.pvc(claim), [backend] = unknown }, backend)
  say(backend .. " and pvc: 400")
end
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
