scenario {
  title    = "A host directory with a colon in its name",
  covers   = { "VOL-HOST-003" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"

-- Engines write a mount as source:target:options.
step "Mounting directories:"
host.expect_names { "with:colon", "data:ro" }
