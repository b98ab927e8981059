scenario {
  title    = "Deleting metadata",
  covers   = { "META-002" },
  requires = { "metadata" },
}

local lifecycle = require "lifecycle"

local sandbox = Sandbox.create { metadata = { team = "a", part = "b" } }

step "Deleting a key:"
local answer = lifecycle.patch_metadata(sandbox.id, { team = api.null })
lifecycle.expect_without(answer, "team")
say "200, without it"

step "Looking at it:"
lifecycle.expect_without(lifecycle.get(sandbox.id), "team")
say "without it"
