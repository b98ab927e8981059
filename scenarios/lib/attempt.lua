-- Create requests that a server may refuse or accept.
local failure = require "failure"
local rest = require "rest"

local attempt = {}

-- Asks for a sandbox and answers it. Where that fails, at once or later: nil and, if it was at once,
-- the answer, after a look that no sandbox is left.
function attempt.create(request)
  local tag = api.unique("attempt")
  request.metadata = { probe = tag }
  local made, sandbox = pcall(Sandbox.create, request)
  if made then
    return sandbox
  end
  -- One that was accepted and then failed may keep what was made for it.
  for _, left in ipairs(Sandbox.list { metadata = { probe = tag } }.items) do
    rest.delete("/sandboxes/" .. left.id)
  end
  -- Once more, as a failure that can be looked at.
  local failed, answer = failure.of(request)
  if not failed then
    error(sandbox, 0)
  end
  return nil, answer
end

-- Whether a request with this one volume is accepted; if not, it must be refused with 400, or the
-- sandbox turn Failed.
function attempt.is_accepted(entry)
  local failed, answer = failure.of { volumes = { entry } }
  if answer then
    rest.expect_refused(answer, 400)
  end
  return not failed
end

-- Mounts the volumes that `volume` makes of `cases`, all in one sandbox, and calls `check` with the
-- sandbox, the case and its place in the list. Where that fails, each is tried by itself, and the
-- answer that refuses one goes to `refused`.
function attempt.each(cases, volume, check, refused)
  local function try(indices)
    local mounts = {}
    for at, index in ipairs(indices) do
      mounts[at] = volume(cases[index], index)
    end
    local sandbox, answer = attempt.create { volumes = mounts }
    for _, index in ipairs(indices) do
      if sandbox then
        check(sandbox, cases[index], index)
      elseif #indices > 1 then
        try { index }
      elseif refused and answer then
        refused(answer)
      end
    end
  end
  local all = {}
  for index in ipairs(cases) do
    all[index] = index
  end
  try(all)
end

return attempt
