scenario {
  title    = "A claim that must find its volume and does not",
  covers   = { "VOL-PVC-004" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local claim = volumes.name("not-there")

step "Claiming it with createIfNotExists false:"
refusal.of_volume({ pvc = { claimName = claim, createIfNotExists = false } }, claim)
say "400, and the message names it"

step "Claiming it with deleteOnSandboxTermination beside:"
refusal.of_volume({
  pvc = { claimName = claim, createIfNotExists = false, deleteOnSandboxTermination = true },
}, claim)
say "400, and the message names it"

expect(volumes.exists(claim), "the volume after all that"):is(false)
say "No volume was made"
