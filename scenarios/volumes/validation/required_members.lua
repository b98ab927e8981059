scenario {
  title    = "A volume's name and mountPath are required",
  covers   = { "VOL-COMMON-002" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local claim = volumes.name("never-made")

step "Leaving them out:"
refusal.of_volumes(
  { { pvc = refusal.pvc(claim), mountPath = "/mnt/at-fault" } },
  { "name", "/mnt/at-fault" },
  1
)
say "no name: 400"
refusal.of_volumes({ { pvc = refusal.pvc(claim), name = "vol-at-fault" } }, { "vol-at-fault" }, 1)
say "no mountPath: 400"
refusal.of_volumes({ { pvc = refusal.pvc(claim) } }, {})
say "neither: 400"

step "Giving null:"
refusal.of_volumes(
  { { name = api.null, pvc = refusal.pvc(claim), mountPath = "/mnt/at-fault" } },
  { "name", "/mnt/at-fault" },
  1
)
say "name null: 400"
refusal.of_volume { mountPath = api.null, pvc = refusal.pvc(claim) }
say "mountPath null: 400"

step "Leaving one out beside a volume that is right:"
refusal.of_volumes({
  { name = "vol-beside", pvc = { claimName = claim }, mountPath = "/mnt/a" },
  { name = "vol-at-fault", pvc = { claimName = claim } },
}, { "vol-at-fault" }, 2)
say "no mountPath: 400"
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
