scenario {
  title  = "Pages that are no numbers",
  covers = { "ERR-001" },
}

local rest = require "rest"

for _, query in ipairs { "page=first", "pageSize=1.5" } do
  step("Listing with " .. query .. ":")
  rest.expect_refused(rest.get("/sandboxes?" .. query), 400)
  say "400, with the error envelope"
end
