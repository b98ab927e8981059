scenario {
  title    = "A host directory whose name begins with two dots",
  covers   = { "VOL-HOST-003" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"

-- Only a whole component ".." leads upwards.
step "Mounting directories:"
host.expect_names { "..data", "...", "data.." }
