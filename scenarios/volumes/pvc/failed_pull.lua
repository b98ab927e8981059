scenario {
  title    = "A create that fails for its image leaves no volume behind",
  covers   = { "VOL-PVC-010" },
  requires = { "volumes.pvc", "images" },
}

local failure = require "failure"
local removal = require "removal"

local claim = volumes.name("made-first")

step "Creating a sandbox from an image that cannot be pulled:"
local failed = failure.of {
  -- Nothing listens at this port, so that the pull fails at once.
  image = { uri = "127.0.0.1:1/no/image:none" },
  volumes = {
    { name = "v", pvc = { claimName = claim, deleteOnSandboxTermination = true }, mountPath = "/mnt/data" },
  },
}
if not failed then
  skip "an image that nobody has runs here"
end
say "It fails"

removal.await(claim)
say "There is no volume"
