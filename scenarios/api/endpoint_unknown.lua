scenario {
  title    = "An endpoint of a sandbox that does not exist",
  covers   = { "ERR-001" },
  requires = { "endpoints" },
}

local rest = require "rest"

step "Asking for a port of a sandbox that does not exist:"
rest.expect_refused(rest.get("/sandboxes/" .. api.unique("nobody") .. "/endpoints/8080"), 404)
say "404, with the error envelope"
