scenario {
  title    = "A named volume and host directories in one sandbox",
  covers   = { "VOL-COMMON-008" },
  requires = { "volumes.pvc", "volumes.host", "commands" },
}

local shell = require "shell"

local volume = volumes.create("named", { files = { ["marker.txt"] = "named volume\n" } })
local directory = host_dirs.create("directory", { files = { ["marker.txt"] = "host directory\n" } })
local protected = host_dirs.create("protected", { files = { ["marker.txt"] = "protected host directory\n" } })

local sandbox = Sandbox.create {
  volumes = {
    { name = "named", pvc = { claimName = volume.name }, mountPath = "/mnt/named" },
    { name = "directory", host = { path = directory.path }, mountPath = "/mnt/directory" },
    { name = "protected", host = { path = protected.path }, mountPath = "/mnt/protected", readOnly = true },
  },
}
expect(sandbox):has_mount { mountPath = "/mnt/named", claimName = volume.name }
expect(sandbox):has_mount { mountPath = "/mnt/directory" }
expect(sandbox):has_mount { mountPath = "/mnt/protected", readOnly = true }

step "Reading from each:"
say(shell.run(sandbox, "cat /mnt/named/marker.txt /mnt/directory/marker.txt /mnt/protected/marker.txt"))

step "Writing to each:"
shell.run(sandbox, "echo to-named > /mnt/named/new.txt && echo to-directory > /mnt/directory/new.txt")
expect(volumes.read(volume.name, "new.txt"), "the file in the named volume"):is("to-named\n")
shell.expect_read_only(sandbox, "touch /mnt/protected/new.txt")
say "Two written, one denied (expected)"

step "Reading the host directory in another sandbox:"
sandbox:kill()
local other = Sandbox.create {
  volumes = { { name = "directory", host = { path = directory.path }, mountPath = "/mnt/directory" } },
}
say(shell.run(other, "cat /mnt/directory/new.txt"))
