scenario {
  title  = "A timeout below 60 seconds",
  covers = { "CREATE-007" },
}

local rest = require "rest"

step "Making a sandbox with a timeout of 59 seconds:"
rest.expect_rejected { timeout = 59 }
say "400, and no sandbox"

step "Making a sandbox with a timeout of 0 seconds:"
rest.expect_rejected { timeout = 0 }
say "400, and no sandbox"

step "Making a sandbox with a timeout of -1 seconds:"
rest.expect_rejected { timeout = -1 }
say "400, and no sandbox"
