scenario {
  title  = "Metadata in the answer to a create",
  covers = { "CREATE-004" },
}

local lifecycle = require "lifecycle"

step "Making a sandbox with metadata:"
local metadata = { team = "a", ["example.com/part"] = "b_2.c" }
local answer = lifecycle.create { metadata = metadata }
expect(answer.body.metadata, "metadata"):is(metadata)
say "202, with the metadata as given"
