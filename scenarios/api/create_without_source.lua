scenario {
  title  = "A sandbox of nothing",
  covers = { "CREATE-009" },
}

local rest = require "rest"

step "Making a sandbox with neither image nor snapshotId:"
rest.expect_rejected { image = rest.absent }
say "400, and no sandbox"
