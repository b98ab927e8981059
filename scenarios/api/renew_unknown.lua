scenario {
  title    = "Renewal of a sandbox that does not exist",
  covers   = { "ERR-001" },
  requires = { "renew" },
}

local rest = require "rest"

step "Renewing a sandbox that does not exist:"
rest.expect_refused(rest.renew(api.unique("nobody"), "2100-01-01T00:00:00Z"), 404)
say "404, with the error envelope"
