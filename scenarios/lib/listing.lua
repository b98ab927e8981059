-- Long listings in one form: busybox and GNU pad their columns differently.

local listing = {}

-- The entries of `ls -la`'s output, each with its permissions, links, owner, group, size, time and
-- name. A line that is no entry, such as the total, is left out.
function listing.parse(text)
  local entries = {}
  for line in text:gmatch("[^\n]+") do
    local mode, links, owner, group, size, time, name =
      line:match("^(%S+)%s+(%d+)%s+(%S+)%s+(%S+)%s+(%d+)%s+(%S+%s+%S+%s+%S+)%s(.+)$")
    if mode then
      entries[#entries + 1] = {
        mode = mode:sub(1, 10), links = links, owner = owner, group = group, size = size,
        time = time, name = name,
      }
    end
  end
  return entries
end

-- The same output with its columns as GNU's ls writes them beside a directory's usual size.
function listing.format(text)
  local lines = {}
  for _, entry in ipairs(listing.parse(text)) do
    lines[#lines + 1] = string.format("%s %s %s %s %4s %s %s", entry.mode, entry.links,
      entry.owner, entry.group, entry.size, entry.time, entry.name)
  end
  return table.concat(lines, "\n")
end

return listing
