-- Volumes that must be refused: with 400 and the envelope, a message that says which is at fault, and
-- nothing made.
local rest = require "rest"

local refusal = {}

-- Whether a message has a culprit in it. A single character is in any message by chance, unless it is
-- quoted.
local function names(message, culprit)
  if #culprit > 1 then
    return message:find(culprit, 1, true) ~= nil
  end
  for quote in ("\"'`"):gmatch "." do
    if message:find(quote .. culprit .. quote, 1, true) then
      return true
    end
  end
  return false
end

-- Expects that a create request with these volumes is refused, and that its message tells the one at
-- fault: by at least one of `culprits`, such as its name and the wrong value, or by its place in the
-- request, where `index`, its place in the list, is given. Culprits that have no text of their own
-- tell nothing.
function refusal.of_volumes(list, culprits, index)
  local answer = rest.expect_rejected { volumes = list }
  local wanted = {}
  for _, culprit in ipairs(culprits) do
    local kind = type(culprit)
    if kind == "number" or kind == "boolean" or kind == "string" and culprit ~= "" then
      wanted[#wanted + 1] = tostring(culprit)
    end
  end
  if api.lenient or #wanted == 0 then
    return answer
  end
  if index then
    wanted[#wanted + 1] = "volumes[" .. index - 1 .. "]"
    wanted[#wanted + 1] = "volumes." .. index - 1
  end
  local named = false
  for _, culprit in ipairs(wanted) do
    named = named or names(answer.message, culprit)
  end
  expect(named, "the message " .. answer.message .. " names " .. table.concat(wanted, " or ")):is(true)
  return answer
end

-- As above, for one volume, which has a name that no message has by chance unless `entry` has
-- another. The rest is what of the volume is wrong.
function refusal.of_volume(entry, ...)
  local volume = { name = "vol-at-fault", mountPath = "/mnt/data" }
  for member, given in pairs(entry) do
    volume[member] = given
  end
  return refusal.of_volumes({ volume }, { volume.name, ... }, 1)
end

-- As above, for a volume that has this member, between two that are right. `claim` is what they claim,
-- and it unless `member` is pvc; `told` is what of the volume is wrong.
function refusal.between(claim, member, value, told)
  local volume = { name = "vol-at-fault", mountPath = "/mnt/b", pvc = refusal.pvc(claim) }
  volume[member] = value
  refusal.of_volumes({
    { name = "vol-before", mountPath = "/mnt/a", pvc = refusal.pvc(claim) },
    volume,
    { name = "vol-after", mountPath = "/mnt/c", pvc = refusal.pvc(claim) },
  }, { "vol-at-fault", told }, 2)
end

-- A claim on a volume that is not there. Were it made all the same, it would go with its sandbox.
function refusal.pvc(claim)
  return { claimName = claim, deleteOnSandboxTermination = true }
end

-- Expects that a claim of this name, which no volume may have, is refused and has left no volume.
function refusal.of_claim(claim)
  refusal.of_volume({ pvc = refusal.pvc(claim) }, claim)
  -- Some names cannot even be looked for: not through the API, which refuses them, and not as a file.
  local looked, there = pcall(volumes.exists, claim)
  expect(looked and there, "the volume " .. claim .. " is there"):is(false)
end

-- A value as a transcript shows it.
function refusal.show(value)
  if type(value) == "string" then
    return '"' .. value:gsub("\n", "\\n") .. '"'
  elseif value == api.null then
    return "null"
  elseif type(value) == "table" then
    -- The metatable of api.list is hidden, but it is there.
    return getmetatable(value) ~= nil and "a list" or "an object"
  end
  return tostring(value)
end

return refusal
