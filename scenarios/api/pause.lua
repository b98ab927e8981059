scenario {
  title    = "Pausing a sandbox",
  covers   = { "PAUSE-001" },
  requires = { "pause" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create {}

step "Pausing it:"
local answer = rest.post("/sandboxes/" .. sandbox.id .. "/pause")
expect(answer.status, "the status of " .. answer.text):is(202)
expect(answer.text, "the body"):is("")
say "202, with an empty body"

step "Waiting for its state:"
lifecycle.await(sandbox.id, "Paused")
say "Paused"
