scenario {
  title    = "Hints for new volumes of the wrong type",
  covers   = { "VOL-PVC-022", "ERR-001" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local wrong = {
  { "storage", 1 },
  { "storage", true },
  { "storage", api.list { "1Gi" } },
  { "storageClass", 1 },
  { "storageClass", api.list() },
  { "accessModes", "ReadWriteOnce" },
  { "accessModes", api.list { 1 } },
}

step "Claiming volumes with these hints:"
local claim = volumes.name("never-made")
for _, case in ipairs(wrong) do
  local member, value = case[1], case[2]
  local pvc = refusal.pvc(claim)
  pvc[member] = value
  refusal.of_volume({ pvc = pvc }, value)
  say(member .. " that is " .. refusal.show(value) .. ": 400")
end
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
