scenario {
  title    = "The allowed prefix and what lies below it",
  covers   = { "VOL-HOST-003" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"
local shell = require "shell"

local directory = host_dirs.create("data", { files = { ["a/b/c/marker.txt"] = "deep\n" } })
local prefix = host.prefix(directory)
local below = directory.path:sub(#prefix + 1)

step "Mounting the allowed prefix itself:"
-- Read-only, since it may hold more than what is ours.
local whole = host.sandbox(prefix, { readOnly = true })
say(shell.run(whole, "cat /mnt/data" .. below .. "/a/b/c/marker.txt"))

step "Mounting a directory four levels below it:"
say(shell.run(host.sandbox(directory.path .. "/a/b/c"), "cat /mnt/data/marker.txt"))
