scenario {
  title    = "Listing by metadata that was patched",
  covers   = { "META-001" },
  requires = { "metadata" },
}

local lifecycle = require "lifecycle"

local tag = api.unique("patched")
local sandbox = Sandbox.create { metadata = { probe = tag, team = "a" } }
lifecycle.patch_metadata(sandbox.id, { team = "b" })

step "Listing by the new value:"
local list = lifecycle.list("metadata=probe%3D" .. tag .. "%26team%3Db")
expect(lifecycle.ids(list), "ids"):is { sandbox.id }
say "the sandbox"

step "Listing by the old value:"
list = lifecycle.list("metadata=probe%3D" .. tag .. "%26team%3Da")
expect(#list.items, "sandboxes"):is(0)
say "none"
