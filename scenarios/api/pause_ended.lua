scenario {
  title    = "Pausing a sandbox that has ended",
  covers   = { "PAUSE-005" },
  requires = { "pause" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

step "Making a sandbox whose entrypoint ends at once:"
local id = lifecycle.create({ entrypoint = { "sh", "-c", "exit 0" } }).body.id
eventually(function()
  local state = lifecycle.get(id).body.status.state
  return state == "Terminated" or state == "Failed"
end, { timeout = 30 })
say "it has ended"

step "Pausing it:"
rest.expect_refused(rest.post("/sandboxes/" .. id .. "/pause"), 409)
say "409, with the error envelope"
