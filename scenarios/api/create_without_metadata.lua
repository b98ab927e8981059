scenario {
  title  = "The answer to a create without metadata",
  covers = { "CREATE-004" },
}

local lifecycle = require "lifecycle"

step "Making a sandbox without metadata:"
lifecycle.expect_without(lifecycle.create(), "metadata")
say "202, without a member metadata"
