scenario {
  title    = "storage: a number with an optional unit",
  covers   = { "VOL-PVC-022" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local wrong = {
  "", "1XB", "1G", "1gi", "1KB", "1 Gi", " 1Gi", "1Gi ", "1Gi\n", "-1Gi", "+1Gi", ".5Gi", "1.Gi", "1,5Gi",
  "1e3", "0x10", "Gi", "one", "1Gi2", "1GiB",
}

step "Claiming volumes with these sizes:"
local claim = volumes.name("never-made")
for _, storage in ipairs(wrong) do
  local pvc = refusal.pvc(claim)
  pvc.storage = storage
  refusal.of_volume({ pvc = pvc }, storage)
  say(refusal.show(storage) .. ": 400")
end
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
