scenario {
  title  = "A path that does not exist",
  covers = { "ERR-001" },
}

local rest = require "rest"

step "Asking for a path that does not exist:"
rest.expect_refused(rest.get("/no-such-thing"), 404)
say "404, with the error envelope"
