scenario {
  title  = "OSS bucket: required members",
  covers = { "VOL-OSSFS-001" },
}

local ossfs = require "ossfs"

for _, member in ipairs { "bucket", "endpoint", "accessKeyId", "accessKeySecret" } do
  step("Asking for an OSS bucket with a bad " .. member .. ":")
  ossfs.expect_refused({ [member] = false }, member)
  say "left out: refused"
  ossfs.expect_refused({ [member] = "" }, member)
  say "empty: refused"
  ossfs.expect_refused({ [member] = api.null }, member)
  say "null: refused"
end
