scenario {
  title    = "Hints for new volumes that are null",
  covers   = { "VOL-PVC-022" },
  requires = { "volumes.pvc", "commands" },
}

local lifecycle = require "lifecycle"

local before, new = volumes.create("from-before"), volumes.name("new")

local function mount(name, claim)
  return {
    name = name,
    mountPath = "/mnt/" .. name,
    pvc = {
      claimName = claim,
      deleteOnSandboxTermination = true,
      storage = api.null,
      storageClass = api.null,
      accessModes = api.null,
    },
  }
end

step "Creating a sandbox with storage, storageClass and accessModes null:"
lifecycle.start {
  -- Only a request as it is can have null in it, and such a sandbox runs no commands of ours.
  entrypoint = {
    "sh", "-c", "cd /mnt && echo x > before/file.txt && echo x > new/file.txt; exec tail -f /dev/null",
  },
  volumes = { mount("before", before.name), mount("new", new) },
}
say "It runs"

for _, claim in ipairs { before.name, new } do
  eventually(function()
    expect(volumes.read(claim, "file.txt"), "the file seen from outside"):is("x\n")
    return true
  end)
end
say "The volume that was there and the new one are mounted"
