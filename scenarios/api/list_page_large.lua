scenario {
  title  = "Large pages",
  covers = { "LIST-002" },
}

local lifecycle = require "lifecycle"
local rest = require "rest"

step "Listing with a pageSize of 200:"
expect(lifecycle.list("pageSize=200").pagination.pageSize, "pageSize"):is(200)
say "200, with that pageSize"

step "Listing with a pageSize of 201:"
local answer = rest.get("/sandboxes?pageSize=201")
-- The specification has no maximum; a server may.
if answer.status ~= 200 then
  rest.expect_refused(answer, 400)
end
say "200, or 400 with the error envelope"
