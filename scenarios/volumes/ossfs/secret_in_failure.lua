scenario {
  title  = "OSS bucket: the secret where a mount fails",
  covers = { "VOL-OSSFS-007" },
}

local failure = require "failure"
local rest = require "rest"
local ossfs = require "ossfs"

local tag = api.unique("secret")

step "Asking for an OSS bucket that cannot be mounted:"
for _, version in ipairs { "1.0", "2.0" } do
  local answer = rest.create { volumes = { ossfs.entry { version = version } }, metadata = { probe = tag } }
  expect(answer.text, "the answer"):does_not_contain(ossfs.secret)
  -- Why it failed may be told by its state alone, later.
  if answer.status == 202 then
    local id = answer.body.id
    failure.outcome(id)
    expect(rest.get("/sandboxes/" .. id).text, "the sandbox"):does_not_contain(ossfs.secret)
  end
end
say "The secret is not repeated"

-- By their metadata: others may fill the first page.
step "Listing the sandboxes that came of it, if any:"
local list = rest.get("/sandboxes?metadata=probe%3D" .. tag)
expect(list.status, "the status of " .. list.text):is(200)
expect(list.text, "the list"):does_not_contain(ossfs.secret)
say "The secret is not in the list"
