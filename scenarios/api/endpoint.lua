scenario {
  title    = "The endpoint of a port",
  covers   = { "ENDPT-001" },
  requires = { "endpoints" },
}

local rest = require "rest"

local sandbox = Sandbox.create {}

-- Two ports: the one of execd, and one at which nobody listens.
for _, port in ipairs { 44772, 18080 } do
  step("Asking for port " .. port .. ":")
  local answer = rest.get("/sandboxes/" .. sandbox.id .. "/endpoints/" .. port)
  local body = rest.expect_object(answer, 200)
  local endpoint = body.endpoint
  expect(type(endpoint), "endpoint"):is("string")
  expect(endpoint, "endpoint"):does_not_contain("://")
  expect(endpoint, "endpoint"):matches("^[%w%.%-%[%]:]+")
  say "an address without a scheme"
  expect(type(body.headers or {}), "headers"):is("table")
  for name, value in pairs(body.headers or {}) do
    expect(type(value), "the header " .. name):is("string")
  end
  body.endpoint, body.headers = nil, nil
  expect(body, "other members of the answer"):is {}
  say "nothing beside it but headers, if any"
end
