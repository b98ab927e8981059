scenario {
  title    = "Resuming a running sandbox",
  covers   = { "PAUSE-005" },
  requires = { "pause" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create {}

step "Resuming it:"
rest.expect_refused(rest.post("/sandboxes/" .. sandbox.id .. "/resume"), 409)
say "409, with the error envelope"

step "Looking at it:"
expect(lifecycle.get(sandbox.id).body.status.state, "state"):is("Running")
say "it runs still"
