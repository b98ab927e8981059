scenario {
  title    = "A create that fails leaves no volume behind",
  covers   = { "VOL-PVC-010" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"
local removal = require "removal"

local made, missing = volumes.name("made-first"), volumes.name("missing")

step "Claiming one volume that is made and one that must be there and is not:"
refusal.of_volumes({
  { name = "made", pvc = { claimName = made, deleteOnSandboxTermination = true }, mountPath = "/mnt/a" },
  { name = "absent", pvc = { claimName = missing, createIfNotExists = false }, mountPath = "/mnt/b" },
}, { "absent", missing })
say "400, and the message names the one that is not there"

removal.await(made)
expect(volumes.exists(missing), "the one that must be there"):is(false)
say "Neither volume is there"
