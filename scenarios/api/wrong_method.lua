scenario {
  title  = "A method that a path does not take",
  covers = { "ERR-001" },
}

local rest = require "rest"

step "Sending PUT to the list of sandboxes:"
local answer = api.request { method = "PUT", path = "/sandboxes", body = rest.body() }
-- The specification leaves open whether it is the method or the operation that is not there.
rest.expect_refused(answer, answer.status == 404 and 404 or 405)
say "refused, with the error envelope"
