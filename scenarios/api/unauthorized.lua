scenario {
  title  = "A wrong API key",
  covers = { "ERR-001" },
}

local rest = require "rest"

step "Asking with a key that is not the server's:"
local answer = api.request {
  method = "GET",
  path = "/sandboxes",
  headers = { ["OPEN-SANDBOX-API-KEY"] = api.unique("wrong") },
}
-- A server that is set up without a key lets everybody in.
if answer.status ~= 200 then
  rest.expect_refused(answer, 401)
end
say "401 with the error envelope, or the server has no key"
