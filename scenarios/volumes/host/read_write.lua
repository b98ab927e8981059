scenario {
  title    = "Read-Write Host Directory Mount",
  number   = 1,
  covers   = { "VOL-HOST-001" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"
local shell = require "shell"

local directory = host_dirs.create("opensandbox-host-demo", {
  files = { ["data/marker.txt"] = "hello-from-host\n" },
})

local sandbox = host.sandbox(directory.path .. "/data")
expect(sandbox):has_mount { mountPath = "/mnt/data", hostPath = directory.path .. "/data" }

step "Reading the file that the host has put there:"
say(shell.run(sandbox, "cat /mnt/data/marker.txt"))

step "Writing a file from inside the sandbox:"
shell.run(sandbox, "echo written-by-sandbox > /mnt/data/sandbox-output.txt")
say "-> Written: /mnt/data/sandbox-output.txt"
expect(host_dirs.read(directory.path, "data/sandbox-output.txt"), "the file on the host")
  :is("written-by-sandbox\n")

-- By another path, so that a copy of the directory would not do.
step "Reading it in a second sandbox, which mounts the directory above:"
local second = host.sandbox(directory.path)
say(shell.run(second, "cat /mnt/data/data/sandbox-output.txt"))

step "Writing in the second sandbox, and reading it in the first:"
shell.run(second, "echo written-by-the-second > /mnt/data/data/second.txt")
say(shell.run(sandbox, "cat /mnt/data/second.txt"))
