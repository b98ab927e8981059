scenario {
  title  = "An image with a member that images do not have",
  covers = { "ERR-001" },
}

local rest = require "rest"

step "Making a sandbox of an image with a member digest:"
rest.expect_rejected { image = { uri = api.image, digest = "x" } }
say "400, and no sandbox"
