scenario {
  title  = "The ids of refused requests",
  covers = { "ERR-002" },
}

local id = "0b9d6d0e-7c41-4f5e-8a36-95d1c2e4f7a8"

-- Sends a request that must be refused, with an id and without one.
local function refuse(request)
  local answer = api.request(request)
  expect(answer.status, "the status of " .. answer.text):is_at_least(400)
  expect(answer.headers["x-request-id"], "X-Request-ID without one in the request"):is_not_nil()
  request.headers = { ["X-Request-ID"] = id }
  answer = api.request(request)
  expect(answer.headers["x-request-id"], "X-Request-ID"):is(id)
end

step "Making a sandbox of nothing:"
refuse { method = "POST", path = "/sandboxes", body = {} }
say "refused, with an id of its own, and with the request's where that has one"

step "Asking for a sandbox that does not exist:"
refuse { method = "GET", path = "/sandboxes/" .. api.unique("nobody") }
say "refused, with an id of its own, and with the request's where that has one"

step "Asking for a path that does not exist:"
refuse { method = "GET", path = "/no-such-thing" }
say "refused, with an id of its own, and with the request's where that has one"
