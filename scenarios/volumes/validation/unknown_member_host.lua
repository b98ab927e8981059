scenario {
  title    = "Unknown members of a host directory",
  covers   = { "VOL-COMMON-007" },
  requires = { "volumes.host" },
}

local refusal = require "refusal"

local directory = host_dirs.create("allowed")

step "Giving host another member:"
for _, member in ipairs { "bogus", "type", "readOnly", "Path" } do
  refusal.of_volume({ host = { path = directory.path, [member] = "x" } }, member)
  say(member .. ": 400")
end
