scenario {
  title  = "The metadata that get names",
  covers = { "GET-001" },
}

local lifecycle = require "lifecycle"

step "Making a sandbox with metadata and asking for it:"
local metadata = { team = "a", ["example.com/part"] = "b_2.c" }
local id = lifecycle.start { metadata = metadata }
expect(lifecycle.metadata(id), "metadata"):is(metadata)
say "the metadata as given, and nothing else in it"
