scenario {
  title    = "A host path that begins like an allowed prefix",
  covers   = { "VOL-HOST-003" },
  requires = { "volumes.host" },
}

local host = require "host"

local prefix = host.prefix(host_dirs.create("data"))

-- These lie beside /allowed, not below it. Their names are too long for any file system: a server
-- that takes one of them in error cannot make it.
step "Asking for directories beside the allowed prefix whose names begin with its name:"
for _, rest in ipairs { "-", ".", "2" } do
  host.expect_refused(prefix .. rest .. ("x"):rep(300), {}, prefix .. rest)
end
say "refused"
