scenario {
  title    = "A host directory behind symbolic links in a circle",
  covers   = { "VOL-HOST-008" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"
local volume = require "volume"

local directory = host.with_links { first = "second", second = "first", self = "self/below" }

step "Asking for directories that can neither be found nor made:"
for _, name in ipairs { "first", "first/new", "self" } do
  volume.expect_failed(host.entry(directory.path .. "/" .. name))
  volume.expect_failed(host.entry(directory.path, { subPath = name }))
  say(name .. ": the create fails")
end
