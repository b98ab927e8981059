scenario {
  title    = "Hints for new volumes have no effect",
  covers   = { "VOL-PVC-022" },
  requires = { "volumes.pvc", "commands" },
}

local shell = require "shell"

-- What would keep a Kubernetes volume from being written to.
local function hinted(claim, storage)
  return {
    claimName = claim,
    storage = storage,
    storageClass = "no-such-class",
    accessModes = { "ReadOnlyMany" },
    deleteOnSandboxTermination = true,
  }
end

local before = volumes.create("from-before", { files = { ["marker.txt"] = "from-before\n" } })
local new = { volumes.name("new-1"), volumes.name("new-2"), volumes.name("new-3") }

step "Mounting four volumes with storage, storageClass and accessModes:"
local sandbox = Sandbox.create {
  volumes = {
    { name = "a", pvc = hinted(before.name, "1Gi"), mountPath = "/mnt/0" },
    { name = "b", pvc = hinted(new[1], "1.5Gi"), mountPath = "/mnt/1" },
    { name = "c", pvc = hinted(new[2], "100"), mountPath = "/mnt/2" },
    { name = "d", pvc = hinted(new[3], "0.001Ei"), mountPath = "/mnt/3" },
  },
}
for index, claim in ipairs { before.name, new[1], new[2], new[3] } do
  local path = "/mnt/" .. index - 1
  expect(sandbox):has_mount { mountPath = path, claimName = claim }
  shell.run(sandbox, "echo x > " .. path .. "/file.txt")
  expect(volumes.read(claim, "file.txt"), "the file seen from outside"):is("x\n")
end
say(shell.run(sandbox, "cat /mnt/0/marker.txt"))
say "All are writable"
