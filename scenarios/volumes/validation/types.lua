scenario {
  title    = "Members of a volume of the wrong type",
  covers   = { "ERR-001" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local claim = volumes.name("never-made")

step "Giving volumes that are no list:"
for _, value in ipairs { "v", 1, true, {} } do
  refusal.of_volumes(value, {})
  say(refusal.show(value) .. ": 400")
end

step "Giving a volume that is no object:"
for _, value in ipairs { "v", 1, api.null, api.list { "vol-at-fault", "/mnt/data" } } do
  refusal.of_volumes(api.list { value }, {})
  say(refusal.show(value) .. ": 400")
end

local wrong = {
  mountPath = { 1, true, api.list { "/mnt/data" } },
  subPath = { 1, true, api.list { "a" } },
  pvc = { "claim", 1, true, api.list { claim } },
}
for _, member in ipairs { "mountPath", "subPath", "pvc" } do
  step("Giving a volume as " .. member .. ":")
  for _, value in ipairs(wrong[member]) do
    local volume = { pvc = refusal.pvc(claim) }
    volume[member] = value
    refusal.of_volume(volume, value)
    say(refusal.show(value) .. ": 400")
  end
end

expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
