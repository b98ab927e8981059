scenario {
  title    = "deleteOnSandboxTermination: the volume goes when the sandbox expires",
  covers   = { "VOL-PVC-008" },
  requires = { "volumes.pvc" },
  -- No sandbox may live less than a minute.
  slow     = true,
}

local claim = volumes.name("goes-at-expiry")

step "Making a volume for a sandbox that lives for a minute:"
local sandbox = Sandbox.create {
  timeout = 60,
  volumes = {
    { name = "data", pvc = { claimName = claim, deleteOnSandboxTermination = true }, mountPath = "/mnt/data" },
  },
}
expect(volumes.exists(claim), "the volume exists"):is(true)
say "it exists"

step "Waiting until the sandbox has expired:"
eventually(function() return not volumes.exists(claim) end, { timeout = 90, interval = 1 })
local listed = Sandbox.list { pageSize = 200, state = { "Running", "Pending" } }
for _, other in ipairs(listed.items) do
  expect(other.id, "a sandbox that lives"):is_not(sandbox.id)
end
say "the volume is gone, and the sandbox with it"
