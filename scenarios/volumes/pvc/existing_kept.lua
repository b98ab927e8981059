scenario {
  title    = "A volume that was there before is never deleted",
  covers   = { "VOL-PVC-007" },
  requires = { "volumes.pvc", "commands" },
}

local removal = require "removal"
local shell = require "shell"

local before = volumes.create("from-before", { files = { ["marker.txt"] = "from-before\n" } })
-- Goes with the same sandbox: once it is gone, whatever goes has gone.
local made = volumes.name("made-for-it")

local sandbox = Sandbox.create {
  volumes = {
    {
      name = "a",
      pvc = { claimName = before.name, deleteOnSandboxTermination = true },
      mountPath = "/mnt/a",
    },
    { name = "b", pvc = { claimName = made, deleteOnSandboxTermination = true }, mountPath = "/mnt/b" },
  },
}
shell.run(sandbox, "echo new > /mnt/a/new.txt")

step "Deleting a sandbox with deleteOnSandboxTermination true:"
sandbox:kill()
removal.settle(made)
expect(volumes.exists(before.name), "the volume"):is(true)
expect(volumes.read(before.name, "marker.txt"), "what was in it"):is("from-before\n")
expect(volumes.read(before.name, "new.txt"), "what the sandbox wrote"):is("new\n")
say "The volume is there with its data"
