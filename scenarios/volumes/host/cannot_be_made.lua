scenario {
  title    = "A host directory that cannot be made",
  covers   = { "VOL-HOST-008" },
  requires = { "volumes.host" },
}

local failure = require "failure"
local host = require "host"

local directory = host_dirs.create("data", { files = { ["file.txt"] = "a file\n" } })

-- Not even root can.
for _, case in ipairs { { "in a file", "file.txt/new" }, { "with a name that is too long", ("x"):rep(300) } } do
  local what, name = table.unpack(case)
  step("Asking for a directory " .. what .. ":")
  failure.expect_of_volume(host.entry(directory.path .. "/" .. name))
  say "as host.path: the create fails"
  failure.expect_of_volume(host.entry(directory.path, { subPath = name }))
  say "as subPath: the create fails"
end

step "Reading what is in the directory above afterwards:"
say(table.concat(host_dirs.list(directory.path), "\n"))
say(host_dirs.read(directory.path, "file.txt"))
