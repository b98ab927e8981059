scenario {
  title    = "Metadata patches of the wrong type",
  covers   = { "ERR-001" },
  requires = { "metadata" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create { metadata = { team = "a" } }
local before = lifecycle.metadata(sandbox.id)

step "Setting a key to a number:"
rest.expect_refused(rest.patch_metadata(sandbox.id, { team = 1 }), 400)
say "400, with the error envelope"

step "Setting a key to an object:"
rest.expect_refused(rest.patch_metadata(sandbox.id, { team = { name = "b" } }), 400)
say "400, with the error envelope"

step "Patching with a list:"
rest.expect_refused(rest.patch_metadata(sandbox.id, "[1]"), 400)
say "400, with the error envelope"

step "Patching with text that is no JSON:"
rest.expect_refused(rest.patch_metadata(sandbox.id, "{bad"), 400)
say "400, with the error envelope"

step "Looking at it:"
expect(lifecycle.metadata(sandbox.id), "metadata"):is(before)
say "its metadata as before"
