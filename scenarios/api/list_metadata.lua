scenario {
  title  = "Sandboxes with some metadata",
  covers = { "LIST-005" },
}

local lifecycle = require "lifecycle"

local tag = api.unique("team")
local a = Sandbox.create { metadata = { probe = tag, team = "a" } }
local b = Sandbox.create { metadata = { probe = tag, team = "b" } }

local function listed(metadata)
  return lifecycle.ids(lifecycle.list("metadata=" .. metadata))
end

step "Listing by what both have:"
local both = { a.id, b.id }
table.sort(both)
expect(listed("probe%3D" .. tag), "ids"):is(both)
say "both"

step "Listing by what both have and by what one has:"
expect(listed("probe%3D" .. tag .. "%26team%3Da"), "ids"):is { a.id }
expect(listed("team%3Db%26probe%3D" .. tag), "ids"):is { b.id }
say "that one alone"

step "Listing by what both have and by what none has:"
expect(listed("probe%3D" .. tag .. "%26team%3Dc"), "ids"):is {}
expect(listed("probe%3D" .. tag .. "%26nobody%3Da"), "ids"):is {}
say "none"
