scenario { title = "Refused request", requires = { "volumes.pvc" } }

local volume = volumes.create("refused")
local function mount(path)
  local sandbox = Sandbox.create {
    volumes = { { name = "v", pvc = { claimName = volume.name }, mountPath = "/mnt", subPath = path } },
  }
  return sandbox
end
step "Climbing out:"
mount("../outside")
