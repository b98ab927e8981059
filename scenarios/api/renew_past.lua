scenario {
  title    = "Renewing a sandbox to a time in the past",
  covers   = { "TTL-003" },
  requires = { "renew" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create { timeout = 600 }
local before = lifecycle.get(sandbox.id).body.expiresAt

step "Asking for an end in 2020:"
rest.expect_refused(rest.renew(sandbox.id, "2020-01-01T00:00:00Z"), 400)
say "400, with the error envelope"

step "Looking at it:"
expect(lifecycle.get(sandbox.id).body.expiresAt, "expiresAt"):is(before)
say "expiresAt as before"
