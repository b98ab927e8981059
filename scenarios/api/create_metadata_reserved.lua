scenario {
  title  = "Metadata that is the server's",
  covers = { "META-005" },
}

local rest = require "rest"

step "Making a sandbox with a metadata key below opensandbox.io/:"
rest.expect_rejected { metadata = { ["opensandbox.io/team"] = "a" } }
say "400, and no sandbox"
