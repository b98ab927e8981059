scenario {
  title  = "A timeout that no calendar can hold",
  covers = { "CREATE-008" },
}

local rest = require "rest"

step "Making a sandbox with a timeout of 1000000000000000 seconds:"
rest.expect_rejected { timeout = 1000000000000000 }
say "400, and no sandbox"
