-- Sandboxes by raw requests: made, looked at, awaited.
local rest = require "rest"

local lifecycle = {}

-- Expects that an answer with `status` is a sandbox with a state, and answers the answer.
function lifecycle.expect_sandbox(answer, status)
  local sandbox = rest.expect_object(answer, status, "status")
  expect(type(sandbox.id), "id in " .. answer.text):is("string")
  expect(type(sandbox.status.state), "status.state in " .. answer.text):is("string")
  return answer
end

-- Makes a sandbox with these members, which must be accepted, and answers what was answered.
function lifecycle.create(members)
  return lifecycle.expect_sandbox(rest.create(members), 202)
end

-- What get answers about a sandbox, which must be there.
function lifecycle.get(id)
  return lifecycle.expect_sandbox(rest.get("/sandboxes/" .. id), 200)
end

-- The state that get shows; Terminated where the sandbox is gone.
function lifecycle.state(id)
  local answer = rest.get("/sandboxes/" .. id)
  if answer.status == 404 then
    return "Terminated"
  end
  return lifecycle.expect_sandbox(answer, 200).body.status.state
end

-- The metadata that get shows, empty where it shows none.
function lifecycle.metadata(id)
  local metadata = lifecycle.get(id).body.metadata or {}
  expect(type(metadata), "metadata of get"):is("table")
  return metadata
end

-- What a metadata patch answers, which must be accepted: the sandbox with its metadata.
function lifecycle.patch_metadata(id, patch)
  local answer = lifecycle.expect_sandbox(rest.patch_metadata(id, patch), 200)
  rest.expect_object(answer, 200, "metadata")
  return answer
end

-- Waits until the sandbox is in `state`, and answers what get says then.
function lifecycle.await(id, state)
  return eventually(function()
    local answer = lifecycle.get(id)
    expect(answer.body.status.state, "the sandbox's state"):is(state)
    return answer
  end, { timeout = 30 })
end

-- Makes a sandbox with these members, waits until it runs, and answers its id.
function lifecycle.start(members)
  local id = lifecycle.create(members).body.id
  lifecycle.await(id, "Running")
  return id
end

-- What list answers for `query`, which must be accepted.
function lifecycle.list(query)
  return rest.expect_object(rest.get("/sandboxes?" .. query), 200, "items", "pagination")
end

-- The ids of what list answers, in an order of their own.
function lifecycle.ids(list)
  local ids = {}
  for _, sandbox in ipairs(list.items) do
    ids[#ids + 1] = sandbox.id
  end
  table.sort(ids)
  return ids
end

-- Expects that an answer is the whole sandbox: all that a sandbox must have, and its image.
function lifecycle.expect_whole(answer, id)
  local sandbox = answer.body
  expect(sandbox.id, "id in " .. answer.text):is(id)
  expect(sandbox.image, "image in " .. answer.text):is_not_nil()
  for _, member in ipairs { "status", "createdAt", "expiresAt", "entrypoint" } do
    expect(sandbox[member], member .. " in " .. answer.text):is_not_nil()
  end
end

-- Expects that an answer has no such member, not even null.
function lifecycle.expect_without(answer, member)
  expect(answer.text:find('"' .. member .. '"%s*:'), member .. " in " .. answer.text):is_nil()
end

return lifecycle
