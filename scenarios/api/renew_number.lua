scenario {
  title    = "Renewing a sandbox to a number",
  covers   = { "TTL-005" },
  requires = { "renew" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"
local time = require "time"

local sandbox = Sandbox.create { timeout = 600 }
local before = lifecycle.get(sandbox.id).body.expiresAt

step "Renewing with seconds since 1970 as expiresAt:"
rest.expect_refused(rest.renew(sandbox.id, math.floor(time.parse(before)) + 600), 400)
say "400, with the error envelope"

step "Looking at it:"
expect(lifecycle.get(sandbox.id).body.expiresAt, "expiresAt"):is(before)
say "expiresAt as before"
