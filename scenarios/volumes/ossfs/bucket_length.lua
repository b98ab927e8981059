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

step "Asking for OSS buckets with as few and as many characters as may be:"
local ordinary = ossfs.outcome {}
for _, length in ipairs { 3, 63 } do
  expect(ossfs.outcome { bucket = ("a"):rep(length) }, "what becomes of it"):is(ordinary)
  say(length .. ": the same as with an ordinary bucket")
end
