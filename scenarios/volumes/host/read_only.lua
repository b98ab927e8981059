scenario {
  title    = "Read-Only Host Directory Mount",
  number   = 2,
  covers   = { "VOL-HOST-001" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"
local shell = require "shell"

local directory = host_dirs.create("opensandbox-host-demo", {
  files = { ["marker.txt"] = "hello-from-host\n" },
})

local sandbox = host.sandbox(directory.path, { readOnly = true })
expect(sandbox):has_mount {
  mountPath = "/mnt/data", hostPath = directory.path, readOnly = true,
}

step "Reading marker.txt from the read-only mount:"
say(shell.run(sandbox, "cat /mnt/data/marker.txt"))

step "Attempting to write (should fail):"
for _, command in ipairs { "touch /mnt/data/new.txt", "rm /mnt/data/marker.txt" } do
  shell.expect_read_only(sandbox, command)
end
say "Write denied (expected)"

step "Listing the directory in a sandbox that may write:"
local writer = host.sandbox(directory.path)
say(shell.run(writer, "ls -A /mnt/data"))

step "Writing there, and reading it through the read-only mount:"
shell.run(writer, "echo written-by-another > /mnt/data/new.txt")
say(shell.run(sandbox, "cat /mnt/data/new.txt"))
