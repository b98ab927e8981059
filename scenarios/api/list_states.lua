scenario {
  title    = "Sandboxes in some states",
  covers   = { "LIST-004" },
  requires = { "pause" },
}

local lifecycle = require "lifecycle"

local tag = api.unique("state")
local running = Sandbox.create { metadata = { probe = tag } }
local paused = Sandbox.create { metadata = { probe = tag } }
paused:pause()

local function listed(states)
  return lifecycle.ids(lifecycle.list("metadata=probe%3D" .. tag .. states))
end

step "Listing what is Running:"
expect(listed("&state=Running"), "ids"):is { running.id }
say "the running sandbox alone"

step "Listing what is Paused:"
expect(listed("&state=Paused"), "ids"):is { paused.id }
say "the paused sandbox alone"

step "Listing what is Running or Paused:"
local both = { running.id, paused.id }
table.sort(both)
expect(listed("&state=Running&state=Paused"), "ids"):is(both)
say "both"
