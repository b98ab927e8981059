scenario {
  title  = "A timeout as text",
  covers = { "CREATE-007" },
}

local rest = require "rest"

step "Making a sandbox with the text 60 as timeout:"
rest.expect_rejected { timeout = "60" }
say "400, and no sandbox"
