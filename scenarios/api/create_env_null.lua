scenario {
  title  = "An environment with null as a value",
  covers = { "ERR-001" },
}

local rest = require "rest"

step "Making a sandbox with null as value in its environment:"
rest.expect_rejected { env = { A = api.null } }
say "400, and no sandbox"
