scenario {
  title  = "A metadata filter that is encoded within",
  covers = { "LIST-005" },
}

local lifecycle = require "lifecycle"

local tag = api.unique("encoded")
local sandbox = Sandbox.create { metadata = { ["example.com/probe"] = tag } }

step "Listing by a key with an encoded slash:"
local list = lifecycle.list("metadata=example.com%252Fprobe%3D" .. tag)
expect(lifecycle.ids(list), "ids"):is { sandbox.id }
say "the sandbox with that key"
