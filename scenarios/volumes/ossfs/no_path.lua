scenario {
  title  = "OSS bucket: a member path",
  covers = { "VOL-OSSFS-006" },
}

local ossfs = require "ossfs"

-- subPath is the prefix in the bucket.
step "Asking for an OSS bucket with a member path:"
for _, path in ipairs { "/", "/data", "" } do
  ossfs.expect_refused({ path = path }, "path")
  say('"' .. path .. '": refused')
end
