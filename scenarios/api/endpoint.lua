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
  expect(answer.status, "the status of " .. answer.text):is(200)
  local endpoint = answer.body.endpoint
  expect(type(endpoint), "endpoint"):is("string")
  expect(endpoint, "endpoint"):does_not_contain("://")
  expect(endpoint, "endpoint"):matches("^[%w%.%-%[%]:]+")
  say "an address without a scheme"
  for name, value in pairs(answer.body.headers or {}) do
    expect(type(value), "the header " .. name):is("string")
  end
  answer.body.endpoint, answer.body.headers = nil, nil
  expect(answer.body, "other members of the answer"):is {}
  say "nothing beside it but headers, if any"
end
