scenario {
  title  = "OSS bucket: one that cannot be mounted",
  covers = { "VOL-OSSFS-005" },
}

local ossfs = require "ossfs"
local volume = require "volume"

step "Asking for an OSS bucket at an endpoint that does not exist:"
for _, version in ipairs { "1.0", "2.0" } do
  volume.expect_failed(ossfs.entry { version = version })
  say("version " .. version .. ": the create fails")
end
volume.expect_failed(ossfs.entry())
say "no version: the create fails"
