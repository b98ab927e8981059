scenario {
  title    = "Renewing a sandbox to what is no time",
  covers   = { "TTL-005" },
  requires = { "renew" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create { timeout = 600 }
local before = lifecycle.get(sandbox.id).body.expiresAt

step "Renewing with a word as expiresAt:"
rest.expect_refused(rest.renew(sandbox.id, "tomorrow"), 400)
say "400, with the error envelope"

step "Renewing to a 31st of February:"
rest.expect_refused(rest.renew(sandbox.id, "2100-02-31T00:00:00Z"), 400)
say "400, with the error envelope"

step "Looking at it:"
expect(lifecycle.get(sandbox.id).body.expiresAt, "expiresAt"):is(before)
say "expiresAt as before"
