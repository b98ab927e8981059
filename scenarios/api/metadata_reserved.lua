scenario {
  title    = "Patching metadata that is the server's",
  covers   = { "META-005" },
  requires = { "metadata" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create { metadata = { team = "a" } }
local before = lifecycle.metadata(sandbox.id)

step "Setting a key below opensandbox.io/:"
rest.expect_refused(rest.patch_metadata(sandbox.id, { ["opensandbox.io/team"] = "b" }), 400)
say "400, with the error envelope"

step "Deleting a key below opensandbox.io/:"
rest.expect_refused(rest.patch_metadata(sandbox.id, { ["opensandbox.io/team"] = api.null }), 400)
say "400, with the error envelope"

step "Setting such a key and another:"
rest.expect_refused(rest.patch_metadata(sandbox.id, { team = "b", ["opensandbox.io/team"] = "b" }), 400)
say "400, with the error envelope"

step "Looking at it:"
expect(lifecycle.metadata(sandbox.id), "metadata"):is(before)
say "its metadata as before"
