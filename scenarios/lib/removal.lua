-- Volumes that go with their sandboxes. The API gives no time for that.
local removal = {}

-- Waits until the volume is gone, which it must be.
function removal.await(claim)
  eventually(function() return not volumes.exists(claim) end)
end

-- Waits until the volume, which may stay, is gone, but not for long: then whatever is to go with the
-- same sandbox has gone.
function removal.settle(claim)
  local looks = 0
  eventually(function()
    looks = looks + 1
    return looks > 20 or not volumes.exists(claim)
  end)
end

return removal
