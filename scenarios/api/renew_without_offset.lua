scenario {
  title    = "Renewing a sandbox to a time without an offset",
  covers   = { "TTL-005" },
  requires = { "renew" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"
local time = require "time"

local sandbox = Sandbox.create { timeout = 600 }
local before = lifecycle.get(sandbox.id).body.expiresAt

step "Asking for an end ten minutes later, without saying on whose clock:"
rest.expect_refused(rest.renew(sandbox.id, (time.format(time.parse(before) + 600):gsub("Z", ""))), 400)
say "400, with the error envelope"

step "Looking at it:"
expect(lifecycle.get(sandbox.id).body.expiresAt, "expiresAt"):is(before)
say "expiresAt as before"
