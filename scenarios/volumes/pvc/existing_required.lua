scenario {
  title    = "A claim that must find its volume and does",
  covers   = { "VOL-PVC-004" },
  requires = { "volumes.pvc", "commands" },
}

local shell = require "shell"

local volume = volumes.create("there", { files = { ["marker.txt"] = "from-before\n" } })

local sandbox = Sandbox.create {
  volumes = {
    { name = "v", pvc = { claimName = volume.name, createIfNotExists = false }, mountPath = "/mnt/data" },
  },
}
expect(sandbox):has_mount { mountPath = "/mnt/data", claimName = volume.name }

step "Reading what was in it:"
say(shell.run(sandbox, "cat /mnt/data/marker.txt"))

step "Writing into it:"
shell.run(sandbox, "echo new > /mnt/data/new.txt")
expect(volumes.read(volume.name, "new.txt"), "the file seen from outside"):is("new\n")
say "Seen from outside"
