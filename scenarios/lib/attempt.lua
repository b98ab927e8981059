-- Create requests that a server may refuse or accept.
local attempt = {}

-- Asks for a sandbox and answers it. Where it is refused: nil and the refusal, after a look that the
-- request made no sandbox.
function attempt.create(request)
  local tag = api.unique("attempt")
  request.metadata = { probe = tag }
  local made, sandbox = pcall(Sandbox.create, request)
  if made then
    return sandbox
  end
  -- Once more, as a refusal that can be looked at.
  local refusal = expect.rejected(Sandbox.create, request)
  local left = Sandbox.list { metadata = { probe = tag } }
  expect(#left.items, "sandboxes that the refused request made"):is(0)
  return nil, refusal
end

-- Mounts the volumes that `volume` makes of `cases`, all in one sandbox, and calls `check` with the
-- sandbox, the case and its place in the list. Where that is refused, each is tried by itself, and
-- what is refused then goes to `refused`.
function attempt.each(cases, volume, check, refused)
  local function try(indices)
    local mounts = {}
    for at, index in ipairs(indices) do
      mounts[at] = volume(cases[index], index)
    end
    local sandbox, refusal = attempt.create { volumes = mounts }
    for _, index in ipairs(indices) do
      if sandbox then
        check(sandbox, cases[index], index)
      elseif #indices > 1 then
        try { index }
      elseif refused then
        refused(refusal, cases[index])
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
