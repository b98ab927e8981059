scenario {
  title  = "Pages below the first, and of no size",
  covers = { "LIST-002" },
}

local rest = require "rest"

for _, query in ipairs { "page=0", "page=-1", "pageSize=0", "pageSize=-1" } do
  step("Listing with " .. query .. ":")
  rest.expect_refused(rest.get("/sandboxes?" .. query), 400)
  say "400, with the error envelope"
end
