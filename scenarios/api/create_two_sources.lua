scenario {
  title  = "A sandbox of an image and a snapshot",
  covers = { "CREATE-009" },
}

local rest = require "rest"

step "Making a sandbox with image and snapshotId:"
rest.expect_rejected { snapshotId = api.unique("snapshot") }
say "400, and no sandbox"
