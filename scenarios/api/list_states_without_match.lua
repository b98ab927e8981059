scenario {
  title  = "States that no sandbox is in",
  covers = { "LIST-004" },
}

local lifecycle = require "lifecycle"

local tag = api.unique("state")
Sandbox.create { metadata = { probe = tag } }

for _, state in ipairs { "Failed", "Nonexistent" } do
  step("Listing what is " .. state .. ":")
  local list = lifecycle.list("metadata=probe%3D" .. tag .. "&state=" .. state)
  expect(#list.items, "sandboxes"):is(0)
  expect(list.pagination.totalItems, "totalItems"):is(0)
  say "200 without sandboxes"
end
