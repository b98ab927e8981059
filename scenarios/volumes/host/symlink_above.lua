scenario {
  title    = "A host directory that is reached through a symbolic link to the outside",
  covers   = { "VOL-HOST-007" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"

local directory = host.with_links { root = "/" }

step "Asking for what is behind a symbolic link to the root directory:"
host.expect_refused(directory.path .. "/root/etc", {}, "/etc")
say "as host.path: refused"
host.expect_refused(directory.path, { subPath = "root/etc" }, "/etc")
say "as subPath: refused"
host.expect_refused(directory.path .. "/root", { subPath = "etc" }, "/etc")
say "as both: refused"
