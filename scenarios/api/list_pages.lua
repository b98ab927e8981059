scenario {
  title  = "Three sandboxes on pages of two",
  covers = { "LIST-003" },
}

local lifecycle = require "lifecycle"

local tag = api.unique("paged")
local ids = {}
for index = 1, 3 do
  ids[index] = Sandbox.create({ metadata = { probe = tag } }).id
end
table.sort(ids)

local function page(number)
  local list = lifecycle.list("metadata=probe%3D" .. tag .. "&pageSize=2&page=" .. number)
  expect(list.pagination, "pagination"):is {
    page = number, pageSize = 2, totalItems = 3, totalPages = 2, hasNextPage = number == 1,
  }
  return lifecycle.ids(list)
end

step "Listing the first page:"
local first = page(1)
expect(#first, "sandboxes"):is(2)
say "2 of 3 sandboxes, page 1 of 2, and there is a next one"

step "Listing the second page:"
local second = page(2)
expect(#second, "sandboxes"):is(1)
say "1 of 3 sandboxes, page 2 of 2, and there is no next one"

step "Comparing the pages with what was made:"
local all = { first[1], first[2], second[1] }
table.sort(all)
expect(all, "ids on both pages"):is(ids)
say "every sandbox is on one page"
