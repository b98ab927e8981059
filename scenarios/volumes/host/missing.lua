scenario {
  title    = "A host directory that does not exist",
  covers   = { "VOL-HOST-008" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"

local directory = host_dirs.create("data")

step "Asking for a directory that does not exist (made or refused):"
say("new/deep: " .. host.expect_made_or_refused(directory, host.entry(directory.path .. "/new/deep")))
