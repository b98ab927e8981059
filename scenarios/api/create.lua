scenario {
  title  = "The answer to a create",
  covers = { "CREATE-001" },
}

local lifecycle = require "lifecycle"
local time = require "time"

step "Making a sandbox:"
local answer = lifecycle.create { entrypoint = { "sh", "-c", "tail -f /dev/null" } }
say "202"

step "Reading the answer:"
local sandbox = answer.body
expect(type(sandbox.id), "id"):is("string")
expect(sandbox.id, "id"):is_not("")
expect(type(sandbox.status.state), "status.state"):is("string")
time.parse(sandbox.createdAt, "createdAt")
expect(sandbox.entrypoint, "entrypoint"):is { "sh", "-c", "tail -f /dev/null" }
say "id, status.state, createdAt, and the entrypoint as given"
for _, member in ipairs { "image", "snapshotId", "updatedAt" } do
  lifecycle.expect_without(answer, member)
end
say "no image, snapshotId or updatedAt"
