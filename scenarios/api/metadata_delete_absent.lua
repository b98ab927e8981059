scenario {
  title    = "Deleting metadata that is not there",
  covers   = { "META-002" },
  requires = { "metadata" },
}

local lifecycle = require "lifecycle"

local sandbox = Sandbox.create { metadata = { team = "a" } }
local before = lifecycle.metadata(sandbox.id)

step "Deleting a key that is not there:"
local answer = lifecycle.patch_metadata(sandbox.id, { nobody = api.null })
expect(answer.body.metadata, "metadata in the answer"):is(before)
say "200, with the metadata as before"
