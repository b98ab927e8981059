scenario {
  title  = "OSS bucket: unsafe characters in the endpoint",
  covers = { "VOL-OSSFS-003" },
}

local ossfs = require "ossfs"

step "Asking for OSS buckets at endpoints:"
for _, endpoint in ipairs { "a;id", "a$(id)", "a`id`", "a|id", "a&id", "a>b", "a b", "a\nb" } do
  ossfs.expect_refused({ endpoint = endpoint }, "endpoint")
  say('"' .. endpoint:gsub("\n", "\\n") .. '": refused')
end
