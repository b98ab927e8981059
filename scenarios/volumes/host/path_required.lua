scenario {
  title    = "A host volume without a path",
  covers   = { "VOL-HOST-005" },
}

local refusal = require "refusal"

step "Asking for host volumes without a path:"
refusal.of_volume({ host = {} }, "path")
say "left out: refused"
refusal.of_volume({ host = { path = api.null } }, "path")
say "null: refused"
refusal.of_volume({ host = { path = "" } }, "path")
say "empty: refused"
