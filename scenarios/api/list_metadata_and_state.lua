scenario {
  title    = "Sandboxes with some metadata in some state",
  covers   = { "LIST-005" },
  requires = { "pause" },
}

local lifecycle = require "lifecycle"

local tag = api.unique("team")
local a = Sandbox.create { metadata = { probe = tag, team = "a" } }
local b = Sandbox.create { metadata = { probe = tag, team = "b" } }
b:pause()

step "Listing one by its metadata and its state:"
local list = lifecycle.list("state=Running&metadata=probe%3D" .. tag .. "%26team%3Da")
expect(lifecycle.ids(list), "ids"):is { a.id }
say "that one alone"

step "Listing it by its metadata and the other's state:"
list = lifecycle.list("state=Paused&metadata=probe%3D" .. tag .. "%26team%3Da")
expect(#list.items, "sandboxes"):is(0)
say "none"
