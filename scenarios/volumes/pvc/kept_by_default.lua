scenario {
  title    = "A volume made for a sandbox outlives it",
  covers   = { "VOL-PVC-005" },
  requires = { "volumes.pvc", "commands" },
}

local removal = require "removal"
local shell = require "shell"

local by_default, on_request = volumes.name("by-default"), volumes.name("on-request")
-- Goes with the same sandbox: once it is gone, whatever goes has gone.
local short_lived = volumes.name("short-lived")

local sandbox = Sandbox.create {
  volumes = {
    { name = "a", pvc = { claimName = by_default }, mountPath = "/mnt/a" },
    {
      name = "b",
      pvc = { claimName = on_request, deleteOnSandboxTermination = false },
      mountPath = "/mnt/b",
    },
    {
      name = "c",
      pvc = { claimName = short_lived, deleteOnSandboxTermination = true },
      mountPath = "/mnt/c",
    },
  },
}

step "Writing into new volumes and deleting the sandbox:"
shell.run(sandbox, "echo precious > /mnt/a/file.txt && echo treasure > /mnt/b/file.txt")
sandbox:kill()
removal.settle(short_lived)
expect(volumes.read(by_default, "file.txt"), "by-default, seen from outside"):is("precious\n")
expect(volumes.read(on_request, "file.txt"), "on-request, seen from outside"):is("treasure\n")
say "Both are there with their data, deleteOnSandboxTermination left out and false"
