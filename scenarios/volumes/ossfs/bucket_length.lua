scenario {
  title  = "OSS bucket: length of its name",
  covers = { "VOL-OSSFS-001" },
}

local ossfs = require "ossfs"

step "Asking for OSS buckets with too few and too many characters:"
for _, length in ipairs { 1, 2, 64 } do
  ossfs.expect_refused({ bucket = ("a"):rep(length) }, "bucket")
  say(length .. ": refused")
end
