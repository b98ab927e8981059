-- Sandboxes that mount one named volume.
local pvc = {}

-- A sandbox that mounts the volume `claim` at /mnt/shared, with `members` added to the volume's entry:
-- deleteOnSandboxTermination is one of the claim.
function pvc.sandbox(claim, members)
  local entry = { name = "v", pvc = { claimName = claim }, mountPath = "/mnt/shared" }
  for member, value in pairs(members or {}) do
    local of = member == "deleteOnSandboxTermination" and entry.pvc or entry
    of[member] = value
  end
  return Sandbox.create { volumes = { entry } }
end

return pvc
