scenario {
  title    = "Renewing a sandbox to the time of its end",
  covers   = { "TTL-004" },
  requires = { "renew" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create { timeout = 600 }
local before = lifecycle.get(sandbox.id).body.expiresAt

step "Asking for the end that it has:"
rest.expect_refused(rest.renew(sandbox.id, before), 400)
say "400, with the error envelope"

step "Looking at it:"
expect(lifecycle.get(sandbox.id).body.expiresAt, "expiresAt"):is(before)
say "expiresAt as before"
