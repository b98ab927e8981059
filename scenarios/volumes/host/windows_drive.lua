scenario {
  title    = "A Windows drive path outside of every allowed prefix",
  covers   = { "VOL-HOST-010" },
  requires = { "volumes.host" },
}

local host = require "host"

step "Asking for directories of the drive Z:"
for _, path in ipairs { "Z:\\osb-data", "Z:/osb-data", "z:\\osb-data", "Z:\\", "Z:/" } do
  host.expect_refused(path, {}, path:sub(1, 2))
  say(path .. ": refused")
end
