scenario {
  title    = "Ports that are no whole numbers",
  covers   = { "ENDPT-004" },
  requires = { "endpoints" },
}

local rest = require "rest"

local sandbox = Sandbox.create {}

for _, port in ipairs { "http", "80.5" } do
  step("Asking for port " .. port .. ":")
  rest.expect_refused(rest.get("/sandboxes/" .. sandbox.id .. "/endpoints/" .. port), 400)
  say "400, with the error envelope"
end
