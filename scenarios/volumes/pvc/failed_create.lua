scenario {
  title    = "A create that fails leaves no volume behind",
  covers   = { "VOL-PVC-007", "VOL-PVC-010" },
  requires = { "volumes.pvc", "commands" },
}

local refusal = require "refusal"
local removal = require "removal"

local before = volumes.create("from-before", { files = { ["marker.txt"] = "from-before\n" } })
local made, missing = volumes.name("made-first"), volumes.name("missing")

step "Claiming a volume that is there, one that is made, and one that must be there and is not:"
refusal.of_volumes({
  { name = "before", pvc = refusal.pvc(before.name), mountPath = "/mnt/0" },
  { name = "made", pvc = refusal.pvc(made), mountPath = "/mnt/a" },
  { name = "absent", pvc = { claimName = missing, createIfNotExists = false }, mountPath = "/mnt/b" },
}, { "absent", missing }, 3)
say "400, and the message names the one that is not there"

removal.await(made)
expect(volumes.exists(missing), "the one that must be there"):is(false)
say "Neither of the last two is there"

expect(volumes.read(before.name, "marker.txt"), "what was in the first one"):is("from-before\n")
say "The first one is there with its data"
