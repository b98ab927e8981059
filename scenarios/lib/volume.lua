-- Requests with one volume, and what must come of those that are wrong.
local rest = require "rest"

local volume = {}

-- Long enough that no message has it in it by chance.
local NAME = "volume-at-fault"

-- Expects that a request with this one volume is refused with 400 and leaves no sandbox, and that
-- the message names the volume or has one of the culprits in it (VOL-COMMON-009).
function volume.expect_refused(members, ...)
  local entry = { name = NAME }
  for name, value in pairs(members) do
    entry[name] = value
  end
  local refusal = rest.expect_volume_rejected(entry)
  if api.lenient then
    return
  end
  for _, culprit in ipairs { entry.name, ... } do
    if refusal.message:find(culprit, 1, true) then
      return
    end
  end
  expect(refusal.message, "the message"):contains((...))
end

return volume
