scenario {
  title  = "OSS bucket: a subPath that leaves it",
  covers = { "VOL-OSSFS-004", "VOL-PVC-016" },
}

local ossfs = require "ossfs"
local refusal = require "refusal"

step "Asking for an OSS bucket with a subPath that is absolute or has a component \"..\":"
for _, sub_path in ipairs { "/x", "/", "..", "../x", "a/..", "a/../b", "a/../../b" } do
  local entry = ossfs.entry()
  entry.name, entry.subPath = nil, sub_path
  refusal.of_volume(entry, "subPath", sub_path)
  say('"' .. sub_path .. '": refused')
end
