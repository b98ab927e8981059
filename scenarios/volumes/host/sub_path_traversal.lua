scenario {
  title    = "A subPath that leaves its host directory",
  covers   = { "VOL-PVC-016" },
  requires = { "volumes.host" },
}

local refusal = require "refusal"

local directory = host_dirs.create("data", {
  files = { ["inner/marker.txt"] = "inside\n", ["sibling/marker.txt"] = "outside\n" },
})

step "Asking for a subPath that is absolute or has a component \"..\":"
for _, sub_path in ipairs { "/etc", "/sibling", "..", "../sibling", "new/..", "new/../sibling", "new/../../sibling" } do
  local entry = { host = { path = directory.path .. "/inner" }, subPath = sub_path, readOnly = true }
  refusal.of_volume(entry, sub_path)
  say('"' .. sub_path .. '": refused')
end

step "Listing the directory afterwards, where nothing may have been made:"
say(table.concat(host_dirs.list(directory.path), "\n"))
