scenario {
  title    = "Volumes that the server made carry its label",
  covers   = { "VOL-PVC-023" },
  requires = { "volumes.pvc" },
}

local LABEL = "opensandbox.io/volume-managed-by"

local function mount(claim)
  Sandbox.create {
    volumes = { { name = "data", pvc = { claimName = claim }, mountPath = "/mnt/data" } },
  }
end

step "Claiming a volume that does not exist:"
local made = volumes.name("made-by-the-server")
mount(made)
local labels = volumes.labels(made)
expect(labels, "labels of the volume"):is_not_nil()
say(LABEL .. ": " .. tostring(labels[LABEL]))

step "Claiming a volume that exists:"
local existing = volumes.create("made-before")
mount(existing.name)
expect(volumes.labels(existing.name)[LABEL], "the label of a volume that existed before"):is_nil()
say "no such label"
