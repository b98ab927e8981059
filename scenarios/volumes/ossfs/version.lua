scenario {
  title  = "OSS bucket: version",
  covers = { "VOL-OSSFS-001" },
}

local ossfs = require "ossfs"

step "Asking for an OSS bucket with a version that there is not:"
for _, version in ipairs { "3.0", "2", "2.0.0", "v2.0", "" } do
  ossfs.expect_refused({ version = version }, "version")
  say('"' .. version .. '": refused')
end

step "Asking for an OSS bucket with a version that is no string:"
ossfs.expect_refused({ version = 2.0 }, "version")
say "refused"

step "Asking for one without a version, which means 2.0:"
expect(ossfs.outcome {}, "what becomes of it"):is(ossfs.outcome { version = "2.0" })
say "the same as with version 2.0"
