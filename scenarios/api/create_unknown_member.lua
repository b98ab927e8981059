scenario {
  title  = "A member that no create request has",
  covers = { "CREATE-022" },
}

local rest = require "rest"

step "Making a sandbox with an unknown member:"
local answer = rest.create { nobodyKnowsThis = { 1, 2 } }
-- The specification leaves the top level open; it does not say that a server must.
if answer.status ~= 202 then
  rest.expect_refused(answer, 400)
end
say "202, or 400 with the error envelope"
