scenario {
  title    = "A host directory behind symbolic links in a circle",
  covers   = { "VOL-HOST-008" },
  requires = { "volumes.host", "commands" },
}

local failure = require "failure"
local host = require "host"

local directory = host.with_links { first = "second", second = "first", self = "self/below" }

step "Asking for directories that can neither be found nor made:"
for _, name in ipairs { "first", "first/new", "self" } do
  failure.expect_of_volume(host.entry(directory.path .. "/" .. name))
  failure.expect_of_volume(host.entry(directory.path, { subPath = name }))
  say(name .. ": the create fails")
end
