scenario {
  title  = "An answer to a request with an id",
  covers = { "ERR-002" },
}

-- A UUID, so that it is right for every server.
local id = "6f1c0c5e-3b52-4a0b-9d57-2b8f4f6a1e90"

step "Listing sandboxes with an X-Request-ID:"
local answer = api.request { method = "GET", path = "/sandboxes", headers = { ["X-Request-ID"] = id } }
expect(answer.status):is(200)
expect(answer.headers["x-request-id"], "X-Request-ID"):is(id)
say "200, with the same X-Request-ID"
