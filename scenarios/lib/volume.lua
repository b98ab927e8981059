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

-- Whether a request with this one volume is accepted; if not, it must be refused with 400.
function volume.is_accepted(entry)
  local answer = rest.create { volumes = { entry } }
  if answer.status == 202 then
    return true
  end
  rest.expect_refused(answer, 400)
  return false
end

-- Expects that a create request with this one volume fails, with any 4xx or 5xx and the envelope,
-- and leaves no sandbox.
function volume.expect_failed(entry)
  local tag = api.unique("failed")
  local answer = rest.create { volumes = { entry }, metadata = { probe = tag } }
  expect(answer.status, "the status of " .. answer.text):is_at_least(400)
  if not api.lenient then
    rest.expect_envelope(answer)
  end
  local left = rest.get("/sandboxes?metadata=probe%3D" .. tag)
  expect(left.status):is(200)
  expect(#left.body.items, "sandboxes that the failed request made"):is(0)
end

return volume
