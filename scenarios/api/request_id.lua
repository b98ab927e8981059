scenario {
  title  = "An answer to a request without an id",
  covers = { "ERR-002" },
}

local rest = require "rest"

local function id_of(answer)
  local id = answer.headers["x-request-id"]
  expect(id, "X-Request-ID"):is_not_nil()
  expect(#id:gsub("%-", ""), "hexadecimal digits of X-Request-ID " .. id):is(32)
  expect(id, "X-Request-ID"):matches("^%x+%-?%x+%-?%x+%-?%x+%-?%x+$")
  return id
end

step "Listing sandboxes twice:"
local first, second = rest.get("/sandboxes"), rest.get("/sandboxes")
expect(first.status):is(200)
expect(second.status):is(200)
local one, other = id_of(first), id_of(second)
say "200, each with a UUID as X-Request-ID"
expect(one, "the first answer's id"):is_not(other)
say "the two differ"
