scenario {
  title  = "Delete of a sandbox that does not exist",
  covers = { "DELETE-002" },
}

local rest = require "rest"

step "Deleting a sandbox that does not exist:"
rest.expect_refused(rest.delete("/sandboxes/" .. api.unique("nobody")), 404)
say "404, with the error envelope"
