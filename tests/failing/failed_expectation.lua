scenario { title = "Failed expectation", covers = { "VOL-PVC-001" }, requires = { "volumes.pvc" } }

local volume = volumes.create("expectation", { files = { ["a.txt"] = "a\n" } })
local sandbox = Sandbox.create {
  volumes = { { name = "v", pvc = { claimName = volume.name }, mountPath = "/mnt" } },
}
step "Reading:"
local read = sandbox.commands:run("cat /mnt/nothing")
pcall(function()
  expect(read.exit_code, "exit code of cat"):is(0)
end)
say "goes on, but the expectation is on record"
