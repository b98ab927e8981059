scenario {
  title  = "OSS bucket: an option that begins with a hyphen",
  covers = { "VOL-OSSFS-002" },
}

local ossfs = require "ossfs"

step "Asking for an OSS bucket with such an option:"
for _, option in ipairs { "-o allow_other", "--allow_other", "-" } do
  ossfs.expect_refused({ options = { option } }, "option")
  say(option .. ": refused")
end

step "Asking for one that has it after a good option:"
ossfs.expect_refused({ options = { "allow_other", "-ouid=0" } }, "option")
say "refused"
