scenario {
  title    = "Read-Write PVC (Named Volume) Mount",
  number   = 1,
  covers   = { "VOL-PVC-001" },
  requires = { "volumes.pvc", "commands" },
}

local listing = require "listing"

local volume = volumes.create("opensandbox-pvc-demo", {
  files = { ["marker.txt"] = "hello-from-named-volume\n" },
})

local sandbox = Sandbox.create {
  volumes = {
    { name = "demo-volume", pvc = { claimName = volume.name }, mountPath = "/mnt/data" },
  },
}
expect(sandbox):has_mount { mountPath = "/mnt/data", claimName = volume.name }

step "Reading marker file from named volume:"
say(sandbox.commands:run("cat /mnt/data/marker.txt").stdout)

step "Writing a file from inside the sandbox:"
local write = sandbox.commands:run("echo written-by-sandbox > /mnt/data/sandbox-output.txt")
expect(write.exit_code):is(0)
say "-> Written: /mnt/data/sandbox-output.txt"

step "Reading back the written file:"
say(sandbox.commands:run("cat /mnt/data/sandbox-output.txt").stdout)
expect(volumes.read(volume.name, "sandbox-output.txt"), "the file seen from outside"):is("written-by-sandbox\n")

step "Listing volume contents:"
say(listing.format(sandbox.commands:run("ls -la /mnt/data/").stdout))
