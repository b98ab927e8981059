scenario {
  title  = "An image without a name",
  covers = { "ERR-001" },
}

local rest = require "rest"

step "Making a sandbox of an image without a uri:"
rest.expect_rejected { image = {} }
say "400, and no sandbox"
