scenario {
  title    = "A host directory that cannot be made",
  covers   = { "VOL-HOST-008" },
  requires = { "volumes.host", "commands" },
}

local failure = require "failure"
local host = require "host"
local shell = require "shell"

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
say(shell.run(host.sandbox(directory.path), "cd /mnt/data && find . -mindepth 1 && cat file.txt"))
