scenario {
  title  = "A sandbox without a timeout",
  covers = { "CREATE-006" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

step "Making a sandbox without a timeout:"
local answer = lifecycle.create { timeout = rest.absent }
lifecycle.expect_without(answer, "expiresAt")
say "202, without expiresAt"

step "Looking at it:"
lifecycle.expect_without(lifecycle.await(answer.body.id, "Running"), "expiresAt")
say "it runs, without expiresAt"
