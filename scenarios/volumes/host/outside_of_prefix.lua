scenario {
  title    = "Host paths outside of every allowed prefix",
  covers   = { "VOL-HOST-003" },
  requires = { "volumes.host" },
}

local host = require "host"

local prefix = host.prefix(host_dirs.create("data"))
local above = host.prefix { path = prefix }

step "Asking for directories outside:"
for _, path in ipairs { "/", "/etc", "/etc/ssl", "/proc/no-such-directory" } do
  host.expect_refused(path)
  say(path .. ": refused")
end

step "Asking for the directory above the allowed prefix:"
host.expect_refused(above == "" and "/" or above)
say "refused"
