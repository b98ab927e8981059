scenario {
  title  = "Deleting a sandbox",
  covers = { "DELETE-001" },
}

local rest = require "rest"

local sandbox = Sandbox.create {}

step "Deleting it:"
local answer = rest.delete("/sandboxes/" .. sandbox.id)
expect(answer.status, "the status of " .. answer.text):is(204)
expect(answer.text, "the body"):is("")
say "204, with an empty body"
