-- Create requests that fail for a reason which a server may find out at once or later.
local rest = require "rest"

local failure = {}

-- Sends a create request with these members and waits until it has failed: with a status from 400 on,
-- or with the state Failed. Answers whether it has; it has not where the sandbox runs. No sandbox is
-- left then, but one that runs is.
function failure.of(members)
  local tag = api.unique("failure")
  members.metadata = { probe = tag }
  local answer = rest.create(members)
  if answer.status == 202 then
    local path = "/sandboxes/" .. answer.body.id
    local state = eventually(function()
      local sandbox = rest.get(path)
      local state = sandbox.status == 200 and sandbox.body.status.state
      return (state == "Failed" or state == "Running") and state
    end, { timeout = 30 })
    if state == "Running" then
      return false
    end
    expect(rest.delete(path).status, "deleting the failed sandbox"):is(204)
  else
    expect(answer.status, "the status of " .. answer.text):is_at_least(400)
    rest.expect_envelope(answer)
  end
  local left = rest.get("/sandboxes?metadata=probe%3D" .. tag)
  expect(left.status, "the status of " .. left.text):is(200)
  expect(#left.body.items, "sandboxes afterwards"):is(0)
  return true
end

return failure
