scenario {
  title    = "Metadata of a sandbox that does not exist",
  covers   = { "ERR-001" },
  requires = { "metadata" },
}

local rest = require "rest"

step "Patching the metadata of a sandbox that does not exist:"
rest.expect_refused(rest.patch_metadata(api.unique("nobody"), { team = "a" }), 404)
say "404, with the error envelope"
