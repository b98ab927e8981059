scenario {
  title    = "A host volume without a path",
  covers   = { "VOL-HOST-005" },
}

local volume = require "volume"

step "Asking for host volumes without a path:"
volume.expect_refused({ host = {} }, "path")
say "left out: refused"
volume.expect_refused({ host = { path = api.null } }, "path")
say "null: refused"
volume.expect_refused({ host = { path = "" } }, "path")
say "empty: refused"
