scenario {
  title    = "A volume through pause and resume",
  covers   = { "VOL-PVC-025" },
  requires = { "volumes.pvc", "pause", "commands" },
}

local shell = require "shell"

local volume = volumes.create("lasting")

local sandbox = Sandbox.create {
  volumes = { { name = "v", pvc = { claimName = volume.name }, mountPath = "/mnt/data" } },
}

step "Writing, then pausing:"
shell.run(sandbox, "echo before > /mnt/data/file.txt")
sandbox:pause()
expect(sandbox:info().status.state):is("Paused")
expect(volumes.read(volume.name, "file.txt"), "the file seen from outside"):is("before\n")
say "Seen from outside"

step "Resuming, reading and writing:"
sandbox:resume()
say(shell.run(sandbox, "cat /mnt/data/file.txt"))
expect(sandbox):has_mount { mountPath = "/mnt/data", claimName = volume.name }
shell.run(sandbox, "echo after >> /mnt/data/file.txt")
expect(volumes.read(volume.name, "file.txt"), "the file seen from outside"):is("before\nafter\n")
say "Seen from outside"
