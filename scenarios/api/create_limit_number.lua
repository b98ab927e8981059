scenario {
  title  = "A resource limit that is a number",
  covers = { "CREATE-011" },
}

local rest = require "rest"

step "Making a sandbox with the number 1 as cpu:"
rest.expect_rejected { resourceLimits = { cpu = 1, memory = "512Mi" } }
say "400, and no sandbox"
