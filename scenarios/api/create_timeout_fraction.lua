scenario {
  title  = "A timeout with a fraction",
  covers = { "CREATE-007" },
}

local rest = require "rest"

step "Making a sandbox with a timeout of 60.5 seconds:"
rest.expect_rejected { timeout = 60.5 }
say "400, and no sandbox"
