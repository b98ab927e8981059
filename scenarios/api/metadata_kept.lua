scenario {
  title    = "Metadata that a patch does not name",
  covers   = { "META-003" },
  requires = { "metadata" },
}

local lifecycle = require "lifecycle"

local sandbox = Sandbox.create { metadata = { team = "a", part = "b", phase = "c" } }

step "Replacing one key and deleting another:"
local answer = lifecycle.patch_metadata(sandbox.id, { part = "d", phase = api.null })
expect(answer.body.metadata.team, "team in the answer"):is("a")
expect(lifecycle.metadata(sandbox.id).team, "team"):is("a")
say "the third is as before"
