-- Create requests that fail for a reason which a server may find out at once or later.
local lifecycle = require "lifecycle"
local rest = require "rest"

local failure = {}

-- Waits until it is known what becomes of an accepted sandbox, and answers its state then: Running,
-- Failed or, where a server clears up by itself, Terminated.
function failure.outcome(id)
  return eventually(function()
    local state = lifecycle.state(id)
    return (state == "Running" or state == "Failed" or state == "Terminated") and state
  end, { timeout = 30 })
end

-- Sends a create request with these members and waits until it has failed: with a status from 400 on,
-- or with the state Failed. Answers whether it has, and the answer where that was the refusal; it has
-- not where the sandbox runs. No sandbox is left then, but one that runs is.
function failure.of(members)
  local tag = api.unique("failure")
  members.metadata = { probe = tag }
  local answer = rest.create(members)
  local function left()
    return lifecycle.list("metadata=probe%3D" .. tag).items
  end
  if answer.status ~= 202 then
    expect(answer.status, "the status of " .. answer.text):is_at_least(400)
    if not api.lenient then
      rest.expect_envelope(answer)
    end
    expect(#left(), "sandboxes that the failed request made"):is(0)
    return true, answer
  end
  local id = answer.body.id
  if failure.outcome(id) == "Running" then
    return false
  end
  local status = rest.delete("/sandboxes/" .. id).status
  expect(status == 204 or status == 404, "the failed sandbox is deleted, with " .. status):is(true)
  eventually(function()
    for _, sandbox in ipairs(left()) do
      local state = sandbox.status.state
      local goes = state == "Stopping" or state == "Terminated"
      expect(goes, "the failed sandbox, now " .. state .. ", goes"):is(true)
    end
    return true
  end, { timeout = 30 })
  return true
end

-- Expects that a create request with this one volume fails.
function failure.expect_of_volume(entry)
  expect(failure.of { volumes = { entry } }, "the create fails"):is(true)
end

return failure
