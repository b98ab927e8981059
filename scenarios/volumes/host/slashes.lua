scenario {
  title    = "A host path with doubled and trailing slashes",
  covers   = { "VOL-HOST-006" },
  requires = { "volumes.host", "commands" },
}

local attempt = require "attempt"
local host = require "host"
local shell = require "shell"

local directory = host_dirs.create("data", { files = { ["inner/marker.txt"] = "found\n" } })
local spellings = {
  directory.path .. "/inner/",
  directory.path .. "//inner",
  "/" .. directory.path .. "/inner",
}

step "Asking for one directory, spelt in several ways (normalised or refused):"
local entries, accepted = {}, 0
for index, path in ipairs(spellings) do
  entries[index] = host.entry(path, { name = "host-data-" .. index, mountPath = "/mnt/" .. index })
  accepted = accepted + (attempt.is_accepted(entries[index]) and 1 or 0)
end
if accepted == 0 then
  say "All of them: refused"
else
  expect(accepted, "how many of " .. #spellings .. " are normalised"):is(#spellings)
  local sandbox = Sandbox.create { volumes = entries }
  for index, path in ipairs(spellings) do
    expect(shell.run(sandbox, "cat /mnt/" .. index .. "/marker.txt"), path):is("found\n")
  end
  say "All of them: normalised"
end
