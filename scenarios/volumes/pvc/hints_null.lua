scenario {
  title    = "Hints for new volumes that are null",
  covers   = { "VOL-PVC-022" },
  requires = { "volumes.pvc" },
}

local rest = require "rest"

local volume = volumes.create("from-before")

step "Creating a sandbox with storage, storageClass and accessModes null:"
local answer = rest.create {
  volumes = {
    {
      name = "v",
      mountPath = "/mnt/data",
      pvc = {
        claimName = volume.name,
        storage = api.null,
        storageClass = api.null,
        accessModes = api.null,
      },
    },
  },
}
expect(answer.status, "the status of " .. answer.text):is(202)
eventually(function()
  local sandbox = rest.get("/sandboxes/" .. answer.body.id)
  return sandbox.status == 200 and sandbox.body.status.state == "Running"
end, { timeout = 30 })
say "It runs"
