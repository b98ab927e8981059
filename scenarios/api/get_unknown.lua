scenario {
  title  = "Get of a sandbox that does not exist",
  covers = { "GET-002" },
}

local rest = require "rest"

step "Asking for a sandbox that does not exist:"
rest.expect_refused(rest.get("/sandboxes/" .. api.unique("nobody")), 404)
say "404, with the error envelope"
