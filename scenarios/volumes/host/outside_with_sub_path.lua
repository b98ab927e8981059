scenario {
  title    = "A host path outside, with a subPath that leads to an allowed prefix",
  covers   = { "VOL-HOST-003" },
  requires = { "volumes.host" },
}

local host = require "host"

local directory = host_dirs.create("data")

-- It is host.path that must be allowed, whatever it is joined with.
step "Asking for / with an allowed directory as its subPath:"
host.expect_refused("/", { subPath = directory.path:sub(2) })
say "refused"
