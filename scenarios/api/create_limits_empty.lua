scenario {
  title  = "Resource limits without a limit",
  covers = { "CREATE-011" },
}

local lifecycle = require "lifecycle"

step "Making a sandbox with empty resourceLimits:"
lifecycle.create { resourceLimits = {} }
say "202"
