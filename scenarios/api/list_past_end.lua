scenario {
  title  = "A page past the last one",
  covers = { "LIST-003" },
}

local lifecycle = require "lifecycle"

local tag = api.unique("paged")
Sandbox.create { metadata = { probe = tag } }

step "Listing page 9 of one sandbox:"
local list = lifecycle.list("metadata=probe%3D" .. tag .. "&page=9")
expect(#list.items, "sandboxes"):is(0)
expect(list.pagination, "pagination"):is {
  page = 9, pageSize = 20, totalItems = 1, totalPages = 1, hasNextPage = false,
}
say "200 without sandboxes, and the totals as they are"
