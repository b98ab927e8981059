scenario {
  title    = "Cross-Sandbox Sharing via PVC (Named Volume)",
  number   = 3,
  covers   = { "VOL-PVC-020" },
  requires = { "volumes.pvc", "commands" },
}

local volume = volumes.create("opensandbox-pvc-demo", {
  files = { ["marker.txt"] = "hello-from-named-volume\n" },
})

local function sandbox()
  return Sandbox.create {
    volumes = {
      { name = "shared-vol", pvc = { claimName = volume.name }, mountPath = "/mnt/shared" },
    },
  }
end

step("Sandbox A", "Creating sandbox and writing data...")
local a = sandbox()
local write = a.commands:run("echo message-from-sandbox-a > /mnt/shared/cross-sandbox.txt")
expect(write.exit_code):is(0)
say "[Sandbox A] Wrote /mnt/shared/cross-sandbox.txt"

step("Sandbox B", "Creating sandbox and reading data...")
local b = sandbox()
say "[Sandbox B] Reading file written by Sandbox A:"
say(b.commands:run("cat /mnt/shared/cross-sandbox.txt").stdout)

-- The data outlives the sandbox that wrote it.
a:kill()
expect(b.commands:run("cat /mnt/shared/cross-sandbox.txt").stdout):is("message-from-sandbox-a\n")

say ""
say "Cross-sandbox data sharing verified!"
