scenario {
  title  = "When a sandbox with a timeout expires",
  covers = { "CREATE-005" },
}

local lifecycle = require "lifecycle"
local time = require "time"

step "Making a sandbox with a timeout of 600 seconds:"
local sandbox = lifecycle.create({ timeout = 600 }).body
local life = time.parse(sandbox.expiresAt, "expiresAt") - time.parse(sandbox.createdAt, "createdAt")
expect(life, "seconds from createdAt to expiresAt"):is_at_least(599)
expect(life, "seconds from createdAt to expiresAt"):is_at_most(601)
say "expiresAt is 600 seconds after createdAt"
