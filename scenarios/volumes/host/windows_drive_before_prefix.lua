scenario {
  title    = "A Windows drive before an allowed prefix",
  covers   = { "VOL-HOST-010" },
  requires = { "volumes.host" },
}

local host = require "host"

local directory = host_dirs.create("data")

step "Asking for an allowed path on another drive:"
host.expect_refused("Z:" .. directory.path)
host.expect_refused("Z:" .. directory.path:gsub("/", "\\"), {}, "Z:")
say "refused"
