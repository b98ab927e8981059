scenario {
  title    = "A host path with a component \"..\"",
  covers   = { "VOL-HOST-006" },
  requires = { "volumes.host" },
}

local host = require "host"

local directory = host_dirs.create("data", { files = { ["inner/marker.txt"] = "inside\n" } })
local prefix = host.prefix(directory)

step "Asking for paths that lead out of the allowed prefix:"
for _, path in ipairs { prefix .. "/..", prefix .. "/../etc", directory.path .. "/../../etc" } do
  host.expect_refused(path)
end
say "refused"

step "Asking for paths that stay inside:"
for _, rest in ipairs { "/..", "/inner/..", "/new/../inner", "/inner/../inner", "/inner/../new" } do
  host.expect_refused(directory.path .. rest)
end
say "refused"

step "Listing the directory afterwards, where nothing may have been made:"
say(table.concat(host_dirs.list(directory.path), "\n"))
