scenario {
  title  = "OSS bucket: a blank option",
  covers = { "VOL-OSSFS-002" },
}

local ossfs = require "ossfs"

step "Asking for an OSS bucket with a blank option:"
for _, option in ipairs { "", " ", "\t" } do
  ossfs.expect_refused({ options = { option } }, "option")
  ossfs.expect_refused({ options = { "allow_other", option } }, "option")
end
say "refused"
