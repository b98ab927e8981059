scenario {
  title    = "A volume mounted inside another",
  covers   = { "VOL-PVC-001" },
  requires = { "volumes.pvc", "commands" },
}

local shell = require "shell"

local outer = volumes.create("outer", { files = { ["marker.txt"] = "outer\n" } })
local inner = volumes.create("inner", { files = { ["marker.txt"] = "inner\n" } })

-- The inner one first: mounted in this order, it would be hidden.
local sandbox = Sandbox.create {
  volumes = {
    { name = "inner", pvc = { claimName = inner.name }, mountPath = "/mnt/data/inner" },
    { name = "outer", pvc = { claimName = outer.name }, mountPath = "/mnt/data" },
  },
}
expect(sandbox):has_mount { mountPath = "/mnt/data", claimName = outer.name }
expect(sandbox):has_mount { mountPath = "/mnt/data/inner", claimName = inner.name }

step "Reading both:"
say(shell.run(sandbox, "cat /mnt/data/marker.txt /mnt/data/inner/marker.txt"))

step "Writing into the inner one:"
shell.run(sandbox, "echo new > /mnt/data/inner/new.txt")
expect(volumes.read(inner.name, "new.txt"), "the file in the inner volume"):is("new\n")
expect(volumes.read(outer.name, "inner/new.txt"), "the file in the outer volume"):is_nil()
say "It is in the inner volume"
