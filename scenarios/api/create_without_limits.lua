scenario {
  title  = "A sandbox without resource limits",
  covers = { "CREATE-011" },
}

local rest = require "rest"

step "Making a sandbox without resourceLimits:"
rest.expect_rejected { resourceLimits = rest.absent }
say "400, and no sandbox"
