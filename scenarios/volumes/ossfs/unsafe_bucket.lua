scenario {
  title  = "OSS bucket: unsafe characters in its name",
  covers = { "VOL-OSSFS-003" },
}

local ossfs = require "ossfs"

step "Asking for OSS buckets:"
for _, bucket in ipairs {
  "a;id", "a$(id)", "a`id`", "a|id", "a&id", "a>b", "a b", "a'b", "a\nb", "-oa", "a/b", "ABC",
} do
  ossfs.expect_refused({ bucket = bucket }, "bucket")
  say('"' .. bucket:gsub("\n", "\\n") .. '": refused')
end
