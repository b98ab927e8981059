scenario {
  title    = "Read-Only Host Directory Mount",
  number   = 2,
  covers   = { "VOL-HOST-001" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"

local directory = host_dirs.create("opensandbox-host-demo", {
  files = { ["marker.txt"] = "hello-from-host\n" },
})

local sandbox = host.sandbox(directory.path, { readOnly = true })
expect(sandbox):has_mount {
  mountPath = "/mnt/data", hostPath = directory.path, readOnly = true,
}

step "Reading marker.txt from the read-only mount:"
say(sandbox.commands:run("cat /mnt/data/marker.txt").stdout)

step "Attempting to write (should fail):"
for _, command in ipairs { "touch /mnt/data/new.txt", "rm /mnt/data/marker.txt" } do
  local write = sandbox.commands:run(command)
  say(write.stderr)
  expect(write.exit_code, command):is_not(0)
end

step "Listing the directory in a sandbox that may write:"
local writer = host.sandbox(directory.path)
say(host.output(writer, "ls -A /mnt/data"))

step "Writing there, and reading it through the read-only mount:"
host.output(writer, "echo written-by-another > /mnt/data/new.txt")
say(sandbox.commands:run("cat /mnt/data/new.txt").stdout)
