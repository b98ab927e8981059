scenario {
  title  = "An image without an entrypoint",
  covers = { "CREATE-010" },
}

local rest = require "rest"

step "Making a sandbox without an entrypoint:"
rest.expect_rejected { entrypoint = rest.absent }
say "400, and no sandbox"
