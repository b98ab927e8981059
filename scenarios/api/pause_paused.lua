scenario {
  title    = "Pausing a paused sandbox",
  covers   = { "PAUSE-004" },
  requires = { "pause" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create {}
sandbox:pause()

step "Pausing it again:"
rest.expect_refused(rest.post("/sandboxes/" .. sandbox.id .. "/pause"), 409)
say "409, with the error envelope"

step "Looking at it:"
expect(lifecycle.get(sandbox.id).body.status.state, "state"):is("Paused")
say "it is paused still"
