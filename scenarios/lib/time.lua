-- Times as the API writes them (RFC 3339), as seconds since 1970 and back.
local time = {}

-- Days from 1970-01-01 to a date of the Gregorian calendar.
local function days(year, month, day)
  -- Years that begin in March have their leap day at the end.
  if month <= 2 then
    year = year - 1
  end
  local day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
  return year * 365 + year // 4 - year // 100 + year // 400 + day_of_year - 719468
end

-- The instant that `text` names; it must be a time with an offset.
function time.parse(text, label)
  label = label or "a time"
  expect(type(text), label):is("string")
  local fields = { text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt](%d%d):(%d%d):(%d%d)(%.?%d*)(.*)$") }
  expect(#fields, label .. " as RFC 3339 has it: " .. text .. ": its parts"):is(8)
  local offset = fields[8]
  local sign, hours, minutes = offset:match("^([+-])(%d%d):(%d%d)$")
  expect(offset:upper() == "Z" or sign ~= nil, label .. " has an offset: " .. text):is(true)
  local ahead = sign and tonumber(sign .. "1") * (tonumber(hours) * 60 + tonumber(minutes)) * 60 or 0
  for index = 1, 6 do
    fields[index] = tonumber(fields[index])
  end
  local year, month, day, hour, minute, second = table.unpack(fields, 1, 6)
  local fraction = tonumber("0" .. fields[7])
  return days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second + fraction - ahead
end

-- The instant `seconds`, whole seconds of it, in UTC or as clocks `hours` ahead of it show it.
function time.format(seconds, hours)
  local shown = math.floor(seconds) + (hours or 0) * 3600
  local day, clock = shown // 86400, shown % 86400
  -- The year is at most one less than this guess.
  local year = 1970 + day // 365
  while days(year, 1, 1) > day do
    year = year - 1
  end
  local month = 12
  while days(year, month, 1) > day do
    month = month - 1
  end
  local offset = hours and string.format("%s%02d:00", hours < 0 and "-" or "+", math.abs(hours)) or "Z"
  return string.format("%04d-%02d-%02dT%02d:%02d:%02d%s", year, month, day - days(year, month, 1) + 1,
    clock // 3600, clock % 3600 // 60, clock % 60, offset)
end

return time
