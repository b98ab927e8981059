scenario {
  title  = "OSS bucket: one that cannot be mounted",
  covers = { "VOL-OSSFS-005" },
}

local failure = require "failure"
local ossfs = require "ossfs"

step "Asking for an OSS bucket at an endpoint that does not exist:"
for _, version in ipairs { "1.0", "2.0" } do
  failure.expect_of_volume(ossfs.entry { version = version })
  say("version " .. version .. ": the create fails")
end
failure.expect_of_volume(ossfs.entry())
say "no version: the create fails"
