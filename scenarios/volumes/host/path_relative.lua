scenario {
  title    = "A host path that is not absolute",
  covers   = { "VOL-HOST-005" },
  requires = { "volumes.host" },
}

local host = require "host"

local directory = host_dirs.create("data")

step "Asking for paths that begin with neither a slash nor a drive:"
for _, path in ipairs { ".", "..", "tmp", "C:tmp", "CC:/tmp", "1:/tmp" } do
  host.expect_refused(path)
  say(path .. ": refused")
end

step "Asking for a path that is allowed but for how it begins:"
host.expect_refused(directory.path:sub(2))
say "without the slash: refused"
host.expect_refused(" " .. directory.path)
say "with a blank before the slash: refused"
