scenario {
  title  = "An entrypoint without a program",
  covers = { "CREATE-010" },
}

local rest = require "rest"

step "Making a sandbox with an empty entrypoint:"
rest.expect_rejected { entrypoint = api.list {} }
say "400, and no sandbox"
