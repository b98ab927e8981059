scenario {
  title    = "Resuming a paused sandbox",
  covers   = { "PAUSE-002" },
  requires = { "pause" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create {}
sandbox:pause()

step "Resuming it:"
local answer = rest.post("/sandboxes/" .. sandbox.id .. "/resume")
expect(answer.status, "the status of " .. answer.text):is(202)
say "202"

step "Waiting for its state:"
lifecycle.await(sandbox.id, "Running")
say "Running"
