scenario {
  title  = "A body with NaN, which JSON has not",
  covers = { "CREATE-022" },
}

local rest = require "rest"

step "Making a sandbox with NaN as an unknown member:"
rest.expect_text_rejected(',"unknown":NaN}')
say "400, and no sandbox"
