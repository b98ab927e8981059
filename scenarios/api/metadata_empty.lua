scenario {
  title    = "A metadata patch that says nothing",
  covers   = { "META-003" },
  requires = { "metadata" },
}

local lifecycle = require "lifecycle"

local sandbox = Sandbox.create { metadata = { team = "a" } }
local before = lifecycle.metadata(sandbox.id)

step "Patching with an empty object:"
local answer = lifecycle.patch_metadata(sandbox.id, {})
lifecycle.expect_whole(answer, sandbox.id)
expect(answer.body.metadata, "metadata in the answer"):is(before)
say "200, with the whole sandbox and its metadata as before"

step "Looking at it:"
expect(lifecycle.metadata(sandbox.id), "metadata"):is(before)
say "its metadata as before"
