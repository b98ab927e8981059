scenario {
  title    = "A subPath of a host directory that is a symbolic link to the outside",
  covers   = { "VOL-HOST-007" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"

local directory = host.with_links { absolute = "/etc", relative = "../..", chain = "absolute" }
local above = host.prefix { path = host.prefix(directory) }

step "Asking for symbolic links as subPath:"
for name, outside in pairs { absolute = "/etc", relative = above, chain = "/etc" } do
  host.expect_refused(directory.path, { subPath = name }, outside)
end
say "refused"
