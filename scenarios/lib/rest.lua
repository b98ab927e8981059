-- Requests to the lifecycle API as they go over the wire, and what every refusal must look like.
local rest = {}

-- In a create request's members: left out.
rest.absent = {}

-- The body of a create request that is right, with `members` added or in the place of its own.
function rest.body(members)
  local body = {
    image = { uri = api.image },
    entrypoint = { "tail", "-f", "/dev/null" },
    resourceLimits = { cpu = "500m", memory = "512Mi" },
    timeout = 600,
  }
  for name, value in pairs(members or {}) do
    body[name] = value
    if value == rest.absent then
      body[name] = nil
    end
  end
  return body
end

function rest.get(path)
  return api.request { method = "GET", path = path }
end

function rest.post(path, body)
  return api.request { method = "POST", path = path, body = body }
end

function rest.patch(path, body)
  return api.request { method = "PATCH", path = path, body = body }
end

function rest.delete(path)
  return api.request { method = "DELETE", path = path }
end

-- The answer to a create request with these members.
function rest.create(members)
  return rest.post("/sandboxes", rest.body(members))
end

-- The answer to a metadata patch.
function rest.patch_metadata(id, patch)
  return rest.patch("/sandboxes/" .. id .. "/metadata", patch)
end

-- The answer to a renewal with this as expiresAt; nil leaves it out.
function rest.renew(id, expires_at)
  return rest.post("/sandboxes/" .. id .. "/renew-expiration", { expiresAt = expires_at })
end

-- Expects the error envelope: a code and a message, and nothing else (ERR-001).
function rest.expect_envelope(answer)
  expect(answer.headers["content-type"] or "none", "Content-Type"):contains("application/json")
  expect(type(answer.body), "the body " .. answer.text .. " as JSON"):is("table")
  for _, member in ipairs { "code", "message" } do
    local value = answer.body[member]
    expect(type(value), member .. " of " .. answer.text):is("string")
    expect(value, member .. " of " .. answer.text):is_not("")
  end
  for member in pairs(answer.body) do
    expect(member == "code" or member == "message", member .. " in " .. answer.text .. " belongs there"):is(true)
  end
end

-- Expects a refusal with `status` and the envelope, and answers it. A run with --lenient is content
-- with any 4xx.
function rest.expect_refused(answer, status)
  if api.lenient and answer.status >= 400 and answer.status < 500 then
    return answer.body
  end
  expect(answer.status, "the status of " .. answer.text):is(status)
  rest.expect_envelope(answer)
  return answer.body
end

-- Expects an answer with `status` whose body is a JSON object with these members, each of them an
-- object or a list, and answers the body.
function rest.expect_object(answer, status, ...)
  expect(answer.status, "the status of " .. answer.text):is(status)
  expect(type(answer.body), "the body " .. answer.text .. " as JSON"):is("table")
  for _, member in ipairs { ... } do
    expect(type(answer.body[member]), member .. " in " .. answer.text):is("table")
  end
  return answer.body
end

local function expect_none(tag)
  local left = rest.expect_object(rest.get("/sandboxes?metadata=probe%3D" .. tag), 200, "items")
  expect(#left.items, "sandboxes that the refused request made"):is(0)
end

-- Expects that a create request with these members is refused with 400, that the message has
-- `culprit` in it where one is given, and that there is no sandbox afterwards.
function rest.expect_rejected(members, culprit)
  local tag = api.unique("rejected")
  local body = rest.body(members)
  if body.metadata == nil then
    body.metadata = {}
  end
  if type(body.metadata) == "table" then
    body.metadata.probe = tag
  end
  local answer = rest.post("/sandboxes", body)
  local refusal = rest.expect_refused(answer, 400)
  if culprit and not api.lenient then
    expect(refusal.message, "the message"):contains(culprit)
  end
  expect_none(tag)
  return refusal
end

-- As above, for a body that no table can hold: the members of one that is right, then `ending` in
-- the place of the last brace.
function rest.expect_text_rejected(ending)
  local tag = api.unique("rejected")
  local text = ('{"image":{"uri":"%s"},"entrypoint":["tail","-f","/dev/null"],"resourceLimits":{},'
    .. '"timeout":600,"metadata":{"probe":"%s"}'):format(api.image, tag)
  rest.expect_refused(rest.post("/sandboxes", text .. ending), 400)
  expect_none(tag)
end

return rest
