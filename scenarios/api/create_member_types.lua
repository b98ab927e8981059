scenario {
  title  = "Members of the wrong type",
  covers = { "ERR-001" },
}

local rest = require "rest"

step "Making a sandbox of a text as image:"
rest.expect_rejected { image = api.image }
say "400, and no sandbox"

step "Making a sandbox with a text as entrypoint:"
rest.expect_rejected { entrypoint = "tail -f /dev/null" }
say "400, and no sandbox"

step "Making a sandbox with a number in its entrypoint:"
rest.expect_rejected { entrypoint = { "sleep", 600 } }
say "400, and no sandbox"

step "Making a sandbox with a number as value in its environment:"
rest.expect_rejected { env = { A = 1 } }
say "400, and no sandbox"

step "Making a sandbox with a number as value in its metadata:"
rest.expect_rejected { metadata = { team = 1 } }
say "400, and no sandbox"

step "Making a sandbox with an object as volumes:"
rest.expect_rejected { volumes = { name = "v" } }
say "400, and no sandbox"
