scenario {
  title    = "Read-Only PVC (Named Volume) Mount",
  number   = 2,
  covers   = { "VOL-PVC-002" },
  requires = { "volumes.pvc", "commands" },
}

local volume = volumes.create("opensandbox-pvc-demo", {
  files = { ["marker.txt"] = "hello-from-named-volume\n" },
})

local sandbox = Sandbox.create {
  volumes = {
    { name = "readonly-vol", pvc = { claimName = volume.name }, mountPath = "/mnt/readonly", readOnly = true },
  },
}
expect(sandbox):has_mount { mountPath = "/mnt/readonly", claimName = volume.name, readOnly = true }

step "Reading marker.txt from read-only mount:"
say(sandbox.commands:run("cat /mnt/readonly/marker.txt").stdout)

step "Attempting to write (should fail):"
local write = sandbox.commands:run("touch /mnt/readonly/should-fail.txt")
say(write.stderr)
expect(write.exit_code):is_not(0)
expect(volumes.read(volume.name, "should-fail.txt"), "the file seen from outside"):is_nil()
say "Write denied (expected)"
