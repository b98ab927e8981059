scenario {
  title    = "Pause of a sandbox that does not exist",
  covers   = { "ERR-001" },
  requires = { "pause" },
}

local rest = require "rest"

step "Pausing a sandbox that does not exist:"
rest.expect_refused(rest.post("/sandboxes/" .. api.unique("nobody") .. "/pause"), 404)
say "404, with the error envelope"
