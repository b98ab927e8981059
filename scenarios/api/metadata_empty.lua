scenario {
  title    = "A metadata patch that says nothing",
  covers   = { "META-003" },
  requires = { "metadata" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create { metadata = { team = "a" } }
local before = lifecycle.get(sandbox.id).body.metadata

step "Patching with an empty object:"
local answer = rest.patch_metadata(sandbox.id, {})
expect(answer.status, "the status of " .. answer.text):is(200)
lifecycle.expect_whole(answer, sandbox.id)
expect(answer.body.metadata, "metadata in the answer"):is(before)
say "200, with the whole sandbox and its metadata as before"

step "Looking at it:"
expect(lifecycle.get(sandbox.id).body.metadata, "metadata"):is(before)
say "its metadata as before"
