scenario {
  title  = "A body that is not UTF-8",
  covers = { "CREATE-022" },
}

local rest = require "rest"

step "Making a sandbox with a byte that is no character:"
rest.expect_text_rejected(',"unknown":"\xff"}')
say "400, and no sandbox"
