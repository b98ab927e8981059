scenario {
  title  = "A body that is not JSON",
  covers = { "CREATE-022" },
}

local rest = require "rest"

step "Making a sandbox with text that is no JSON:"
rest.expect_refused(rest.post("/sandboxes", "{bad"), 400)
say "400, with the error envelope"

step "Making a sandbox without a body:"
rest.expect_refused(rest.post("/sandboxes"), 400)
say "400, with the error envelope"

step "Making a sandbox with a body that lacks its last brace:"
rest.expect_text_rejected("")
say "400, and no sandbox"

step "Making a sandbox with a body that goes on after its last brace:"
rest.expect_text_rejected("} x")
say "400, and no sandbox"
