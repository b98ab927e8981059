scenario {
  title  = "A body that is JSON, but no object",
  covers = { "CREATE-022" },
}

local rest = require "rest"

step "Making a sandbox with a list as body:"
rest.expect_refused(rest.post("/sandboxes", "[]"), 400)
say "400, with the error envelope"

step "Making a sandbox with a text as body:"
rest.expect_refused(rest.post("/sandboxes", '"sandbox"'), 400)
say "400, with the error envelope"

step "Making a sandbox with null as body:"
rest.expect_refused(rest.post("/sandboxes", "null"), 400)
say "400, with the error envelope"
