scenario {
  title    = "A regular file in the place of a host directory",
  covers   = { "VOL-HOST-009" },
  requires = { "volumes.host", "commands" },
}

local attempt = require "attempt"
local host = require "host"
local shell = require "shell"

local directory = host_dirs.create("data", { files = { ["config.txt"] = "from the host\n" } })
local entry = host.entry(directory.path .. "/config.txt", { mountPath = "/mnt/config.txt" })

step "Asking for a regular file (mounted or refused):"
local outcome = "refused"
local sandbox = attempt.create { volumes = { entry } }
if sandbox then
  expect(shell.run(sandbox, "cat /mnt/config.txt")):is("from the host\n")
  outcome = "mounted"
end
say("config.txt: " .. outcome)
