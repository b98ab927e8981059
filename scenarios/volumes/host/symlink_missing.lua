scenario {
  title    = "A symbolic link to something outside that does not exist",
  covers   = { "VOL-HOST-007" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"

-- Nobody can make anything in /proc: a server that tries does no harm.
local missing = "/proc/no-such-directory"
local directory = host.with_links { outside = "/proc", dangling = missing }

step "Asking for a directory that would have to be made outside:"
for _, leaf in ipairs { "dangling", "outside/no-such-directory", "dangling/deeper" } do
  host.expect_refused(directory.path .. "/" .. leaf, {}, missing)
  say(leaf .. " as host.path: refused")
  host.expect_refused(directory.path, { subPath = leaf }, missing)
  say(leaf .. " as subPath: refused")
end
