scenario {
  title    = "Renewing a sandbox with a time of another time zone",
  covers   = { "TTL-002" },
  requires = { "renew" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"
local time = require "time"

local sandbox = Sandbox.create { timeout = 600 }
local later = math.floor(time.parse(lifecycle.get(sandbox.id).body.expiresAt)) + 600

step "Asking for an end ten minutes later, on a clock two hours ahead:"
local answer = rest.renew(sandbox.id, time.format(later, 2))
local body = rest.expect_object(answer, 200)
expect(time.parse(body.expiresAt, "expiresAt"), "expiresAt in the answer"):is(later)
say "200, with the same instant"

step "Looking at it:"
local shown = lifecycle.get(sandbox.id).body.expiresAt
expect(time.parse(shown, "expiresAt"), "expiresAt of get"):is(later)
say "the same instant"
