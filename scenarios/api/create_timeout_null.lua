scenario {
  title  = "A sandbox whose timeout is null",
  covers = { "CREATE-006" },
}

local lifecycle = require "lifecycle"

step "Making a sandbox with a timeout of null:"
local answer = lifecycle.create { timeout = api.null }
lifecycle.expect_without(answer, "expiresAt")
say "202, without expiresAt"

step "Looking at it:"
lifecycle.expect_without(lifecycle.await(answer.body.id, "Running"), "expiresAt")
say "it runs, without expiresAt"
