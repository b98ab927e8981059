scenario {
  title    = "Deleting metadata that is not there",
  covers   = { "META-002" },
  requires = { "metadata" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

local sandbox = Sandbox.create { metadata = { team = "a" } }
local before = lifecycle.get(sandbox.id).body.metadata

step "Deleting a key that is not there:"
local answer = rest.patch_metadata(sandbox.id, { nobody = api.null })
expect(answer.status, "the status of " .. answer.text):is(200)
expect(answer.body.metadata, "metadata in the answer"):is(before)
say "200, with the metadata as before"
