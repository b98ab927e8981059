scenario {
  title    = "The endpoint of a port by way of the server",
  covers   = { "ENDPT-005" },
  requires = { "endpoints" },
}

local rest = require "rest"

local sandbox = Sandbox.create {}

step "Asking for execd's port by way of the server:"
local answer = rest.get("/sandboxes/" .. sandbox.id .. "/endpoints/44772?use_server_proxy=true")
local body = rest.expect_object(answer, 200)
expect(type(body.endpoint), "endpoint"):is("string")
expect(body.endpoint, "endpoint"):does_not_contain("://")
say "an address without a scheme"

-- Requests of a scenario go to the API's base, whatever the server calls itself.
local path = body.endpoint:match("(/sandboxes/.+)$")
if not path then
  skip("the endpoint " .. body.endpoint .. " is not below the API's sandboxes")
end

step "Asking execd there whether it is awake:"
local ping = api.request { method = "GET", path = path .. "/ping", headers = body.headers }
expect(ping.status, "the status of " .. ping.text):is(200)
say "200"
