scenario {
  title    = "SubPath Read-Only Host Directory Mount",
  number   = 4,
  covers   = { "VOL-HOST-001", "VOL-HOST-002" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"
local shell = require "shell"

local directory = host_dirs.create("opensandbox-host-demo", {
  files = { ["datasets/train/data.csv"] = "id,value\n1,100\n" },
})

local sandbox = host.sandbox(directory.path, { subPath = "datasets/train", readOnly = true })
expect(sandbox):has_mount { mountPath = "/mnt/data", readOnly = true }

step "Reading data.csv:"
say(shell.run(sandbox, "cat /mnt/data/data.csv"))

step "Attempting to write (should fail):"
shell.expect_read_only(sandbox, "touch /mnt/data/new.csv")
say "Write denied (expected)"

step "Listing the subdirectory in a sandbox that may write:"
say(shell.run(host.sandbox(directory.path), "ls -A /mnt/data/datasets/train"))
