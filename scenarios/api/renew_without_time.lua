scenario {
  title    = "Renewing a sandbox to no time",
  covers   = { "TTL-005" },
  requires = { "renew" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create { timeout = 600 }
local before = lifecycle.get(sandbox.id).body.expiresAt

step "Renewing with an empty object:"
rest.expect_refused(rest.renew(sandbox.id, nil), 400)
say "400, with the error envelope"

step "Renewing with null as expiresAt:"
rest.expect_refused(rest.renew(sandbox.id, api.null), 400)
say "400, with the error envelope"

step "Renewing without a body:"
rest.expect_refused(rest.post("/sandboxes/" .. sandbox.id .. "/renew-expiration"), 400)
say "400, with the error envelope"

step "Looking at it:"
expect(lifecycle.get(sandbox.id).body.expiresAt, "expiresAt"):is(before)
say "expiresAt as before"
