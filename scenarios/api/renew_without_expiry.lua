scenario {
  title    = "Renewing a sandbox that does not expire",
  covers   = { "TTL-006" },
  requires = { "renew" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local id = lifecycle.start { timeout = rest.absent }

step "Giving it an end:"
rest.expect_refused(rest.renew(id, "2100-01-01T00:00:00Z"), 409)
say "409, with the error envelope"

step "Looking at it:"
lifecycle.expect_without(lifecycle.get(id), "expiresAt")
say "it does not expire still"
