scenario {
  title  = "A metadata filter that has no pairs",
  covers = { "LIST-006" },
}

local rest = require "rest"

step "Listing by a key without a value:"
rest.expect_refused(rest.get("/sandboxes?metadata=team"), 400)
say "400, with the error envelope"

step "Listing by a pair and a key without a value:"
rest.expect_refused(rest.get("/sandboxes?metadata=team%3Da%26broken"), 400)
say "400, with the error envelope"
