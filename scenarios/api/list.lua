scenario {
  title  = "A list that nobody asked anything of",
  covers = { "LIST-001" },
}

local rest = require "rest"

-- One at least.
Sandbox.create {}

step "Listing sandboxes:"
local list = rest.expect_object(rest.get("/sandboxes"), 200, "items", "pagination")
local items, pagination = list.items, list.pagination
expect(#items, "items"):is_at_least(1)
expect(#items, "items"):is_at_most(20)
for _, sandbox in ipairs(items) do
  for _, member in ipairs { "id", "status", "createdAt", "entrypoint" } do
    expect(sandbox[member], member .. " of an item"):is_not_nil()
  end
end
say "200, with at most 20 sandboxes"
expect(pagination.page, "page"):is(1)
expect(pagination.pageSize, "pageSize"):is(20)
expect(math.type(pagination.totalItems), "totalItems"):is("integer")
expect(math.type(pagination.totalPages), "totalPages"):is("integer")
expect(type(pagination.hasNextPage), "hasNextPage"):is("boolean")
say "page 1, pageSize 20, totalItems, totalPages and hasNextPage"
