scenario {
  title    = "Host directories with unusual names",
  covers   = { "VOL-HOST-003" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"

step "Mounting directories:"
host.expect_names { "with space", "with,comma", "with=equals", "-leading-hyphen", "$HOME", "'quoted'", "größe" }
