scenario {
  title  = "Deleting a sandbox twice",
  covers = { "DELETE-002" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create {}
local path = "/sandboxes/" .. sandbox.id

step "Deleting it:"
expect(rest.delete(path).status, "status"):is(204)
say "204"

step "Waiting until it has ended:"
local seen = eventually(function()
  local answer = rest.get(path)
  if answer.status ~= 404 then
    local state = lifecycle.expect_sandbox(answer, 200).body.status.state
    expect(state, "state"):is("Terminated")
  end
  return answer
end, { timeout = 30 })
say "it has"

step "Deleting it again:"
local answer = rest.delete(path)
-- What has ended and is still shown may be deleted, or be in no state for it.
if seen.status == 404 or answer.status ~= 204 then
  rest.expect_refused(answer, seen.status ~= 404 and answer.status == 409 and 409 or 404)
end
say "404 with the error envelope, or 204 or 409 while get shows it"
