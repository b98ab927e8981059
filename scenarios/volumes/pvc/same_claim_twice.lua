scenario {
  title    = "One volume at two paths of a sandbox",
  covers   = { "VOL-PVC-021" },
  requires = { "volumes.pvc", "volumes.pvc.sub_path", "commands" },
}

local shell = require "shell"

local volume = volumes.create("twice", { files = { ["part/marker.txt"] = "from-before\n" } })

local sandbox = Sandbox.create {
  volumes = {
    { name = "all", pvc = { claimName = volume.name }, mountPath = "/mnt/all" },
    {
      name = "part",
      pvc = { claimName = volume.name },
      mountPath = "/mnt/part",
      subPath = "part",
      readOnly = true,
    },
  },
}
expect(sandbox):has_mount { mountPath = "/mnt/all", claimName = volume.name }
expect(sandbox):has_mount { mountPath = "/mnt/part", claimName = volume.name, subPath = "part", readOnly = true }

step "Writing at the read-write path:"
shell.run(sandbox, "echo new > /mnt/all/part/new.txt")
expect(volumes.read(volume.name, "part/new.txt"), "the file seen from outside"):is("new\n")
say "-> Written: /mnt/all/part/new.txt"

step "Reading at the read-only one:"
say(shell.run(sandbox, "cat /mnt/part/marker.txt /mnt/part/new.txt"))

step "Attempting to write there (should fail):"
shell.expect_read_only(sandbox, "echo x > /mnt/part/denied.txt")
expect(volumes.read(volume.name, "part/denied.txt"), "the file seen from outside"):is_nil()
say "Write denied (expected)"
