scenario {
  title  = "What get says about a sandbox",
  covers = { "GET-001" },
}

local lifecycle = require "lifecycle"
local time = require "time"

step "Making a sandbox:"
local created = lifecycle.create({ entrypoint = { "sh", "-c", "tail -f /dev/null" } }).body
local answer = lifecycle.await(created.id, "Running")
say "it runs"

step "Looking at it:"
local sandbox = answer.body
expect(sandbox.id, "id"):is(created.id)
expect(sandbox.entrypoint, "entrypoint"):is { "sh", "-c", "tail -f /dev/null" }
for _, member in ipairs { "createdAt", "expiresAt" } do
  local moved = time.parse(sandbox[member], member) - time.parse(created[member], member)
  expect(math.abs(moved), "seconds between " .. member .. " in create and get"):is_at_most(1)
end
lifecycle.expect_without(answer, "snapshotId")
say "id, entrypoint, createdAt and expiresAt as created, and no snapshotId"
