scenario {
  title    = "Renewing a sandbox with a member that renewals do not have",
  covers   = { "TTL-005" },
  requires = { "renew" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"
local time = require "time"

local sandbox = Sandbox.create { timeout = 600 }
local before = lifecycle.get(sandbox.id).body.expiresAt

step "Asking for an end ten minutes later, with a member reason:"
rest.expect_refused(rest.post("/sandboxes/" .. sandbox.id .. "/renew-expiration", {
  expiresAt = time.format(time.parse(before) + 600),
  reason = "x",
}), 400)
say "400, with the error envelope"

step "Looking at it:"
expect(lifecycle.get(sandbox.id).body.expiresAt, "expiresAt"):is(before)
say "expiresAt as before"
