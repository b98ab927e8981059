scenario {
  title  = "The shortest timeout",
  covers = { "CREATE-007" },
}

local lifecycle = require "lifecycle"

step "Making a sandbox with a timeout of 60 seconds:"
lifecycle.create { timeout = 60 }
say "202"
