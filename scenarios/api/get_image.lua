scenario {
  title  = "The image that get names",
  covers = { "GET-001" },
}

local lifecycle = require "lifecycle"

step "Making a sandbox and asking for it:"
local id = lifecycle.start()
expect(lifecycle.get(id).body.image, "image"):is { uri = api.image }
say "image.uri as given"
