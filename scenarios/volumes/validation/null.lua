scenario {
  title  = "Volumes that are null",
  covers = { "VOL-COMMON-001" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

step "Creating a sandbox with volumes null:"
local answer = rest.create {
  volumes = api.null,
  -- Ends at once where something is mounted below /mnt, as all of our volumes are.
  entrypoint = { "sh", "-c", "grep -q ' /mnt' /proc/self/mountinfo && exit 1; exec tail -f /dev/null" },
}
if answer.status == 202 then
  local id = lifecycle.expect_sandbox(answer, 202).body.id
  lifecycle.await(id, "Running")
  local looks, state = 0, nil
  eventually(function()
    looks, state = looks + 1, lifecycle.state(id)
    return looks > 5 or state ~= "Running"
  end, { interval = 0.02 })
  expect(state, "the state of a sandbox that goes on only without mounts"):is("Running")
else
  rest.expect_refused(answer, 400)
end
say "It runs without mounts, or is refused with 400"
