scenario {
  title    = "Adding and replacing metadata",
  covers   = { "META-001" },
  requires = { "metadata" },
}

local lifecycle = require "lifecycle"

local sandbox = Sandbox.create { metadata = { team = "a" } }

step "Adding one key and replacing another:"
local answer = lifecycle.patch_metadata(sandbox.id, { team = "b", part = "c" })
expect(answer.body.metadata.team, "team in the answer"):is("b")
expect(answer.body.metadata.part, "part in the answer"):is("c")
say "200, with both"
lifecycle.expect_whole(answer, sandbox.id)
say "the answer is the whole sandbox"

step "Looking at it:"
local metadata = lifecycle.metadata(sandbox.id)
expect(metadata.team, "team"):is("b")
expect(metadata.part, "part"):is("c")
say "both"
