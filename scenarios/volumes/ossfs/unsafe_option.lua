scenario {
  title  = "OSS bucket: unsafe characters in an option",
  covers = { "VOL-OSSFS-003" },
}

local ossfs = require "ossfs"

step "Asking for an OSS bucket with the options:"
for _, option in ipairs { "a;id", "a$(id)", "a`id`", "a|id", "a&id", "a>b", "a<b", "a\nb" } do
  ossfs.expect_refused({ options = { option } }, "option")
  say('"' .. option:gsub("\n", "\\n") .. '": refused')
end
