scenario {
  title  = "The state of a sandbox that was just accepted",
  covers = { "CREATE-002" },
}

local lifecycle = require "lifecycle"

step "Making a sandbox:"
local answer = lifecycle.create()
expect(answer.body.status.state, "status.state in the answer"):is("Pending")
say "202, with the state Pending"
