-- Volumes that must be refused: with 400 and the envelope, a message that says which is at fault, and
-- nothing made.
local rest = require "rest"

local refusal = {}

-- Expects that a create request with these volumes is refused, and that its message has at least one
-- of `culprits` in it: the name of the volume at fault, and whatever else tells it.
function refusal.of_volumes(list, culprits)
  local answer = rest.expect_rejected { volumes = list }
  if api.lenient or #culprits == 0 then
    return answer
  end
  local named = false
  for _, culprit in ipairs(culprits) do
    named = named or answer.message:find(culprit, 1, true) ~= nil
  end
  local wanted = table.concat(culprits, " or ")
  expect(named, "the message " .. answer.message .. " names " .. wanted):is(true)
  return answer
end

-- As above, for one volume, which has a name that no message has by chance unless `entry` has
-- another. `value` is what of the volume is wrong, where that is a text.
function refusal.of_volume(entry, value)
  local volume = { name = "vol-at-fault", mountPath = "/mnt/data" }
  for member, given in pairs(entry) do
    volume[member] = given
  end
  local culprits = {}
  for _, culprit in ipairs { volume.name, value } do
    if type(culprit) == "string" and culprit ~= "" then
      culprits[#culprits + 1] = culprit
    end
  end
  return refusal.of_volumes({ volume }, culprits)
end

-- A claim on a volume that is not there. Were it made all the same, it would go with its sandbox.
function refusal.pvc(claim)
  return { claimName = claim, deleteOnSandboxTermination = true }
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
