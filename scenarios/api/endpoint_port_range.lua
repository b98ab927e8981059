scenario {
  title    = "Ports that there are not",
  covers   = { "ENDPT-004" },
  requires = { "endpoints" },
}

local rest = require "rest"

local sandbox = Sandbox.create {}

for _, port in ipairs { "0", "-1", "65536", "99999999999999999999" } do
  step("Asking for port " .. port .. ":")
  rest.expect_refused(rest.get("/sandboxes/" .. sandbox.id .. "/endpoints/" .. port), 400)
  say "400, with the error envelope"
end
