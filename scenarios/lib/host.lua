-- Sandboxes that mount a host directory at /mnt/data, and requests that must not get one.
local attempt = require "attempt"
local lifecycle = require "lifecycle"
local refusal = require "refusal"
local shell = require "shell"

local host = {}

-- A volume entry for the host directory `path`, with `members` added.
function host.entry(path, members)
  local entry = { name = "host-data", host = { path = path }, mountPath = "/mnt/data" }
  for name, value in pairs(members or {}) do
    entry[name] = value
  end
  return entry
end

function host.sandbox(path, members)
  return Sandbox.create { volumes = { host.entry(path, members) } }
end

-- Deletes a sandbox and waits until it is gone: only then may a server be done with its directories.
function host.delete(sandbox)
  sandbox:kill()
  eventually(function()
    return lifecycle.state(sandbox.id) == "Terminated"
  end, { timeout = 30 })
end

-- The allowed prefix: what host_dirs makes its directories in.
function host.prefix(directory)
  return (directory.path:gsub("/[^/]*$", ""))
end

-- Expects that the host directory `path` is refused with 400, and that the message names it or one
-- of the other culprits. It is asked for read-only: a server that mounts it in error does no harm.
function host.expect_refused(path, members, ...)
  local entry = host.entry(path, members)
  entry.name, entry.readOnly = nil, true
  refusal.of_volume(entry, path, ...)
end

-- Makes a host directory with symbolic links in it, by name, from inside of a sandbox.
function host.with_links(links)
  local directory = host_dirs.create("links")
  local sandbox = host.sandbox(directory.path)
  for name, target in pairs(links) do
    shell.run(sandbox, "ln -s '" .. target .. "' '/mnt/data/" .. name .. "'")
  end
  return directory
end

-- Expects that directories of these names below an allowed prefix can be mounted, in one sandbox.
function host.expect_names(names)
  local files = {}
  for index, name in ipairs(names) do
    files[name .. "/marker.txt"] = "directory " .. index .. "\n"
  end
  local directory = host_dirs.create("names", { files = files })
  local entries = {}
  for index, name in ipairs(names) do
    entries[index] = host.entry(directory.path .. "/" .. name, {
      name = "host-data-" .. index, mountPath = "/mnt/" .. index,
    })
  end
  local sandbox = Sandbox.create { volumes = entries }
  for index, name in ipairs(names) do
    local marker = shell.run(sandbox, "cat /mnt/" .. index .. "/marker.txt")
    expect(marker, 'marker.txt of "' .. name .. '"'):is("directory " .. index .. "\n")
    say('"' .. name .. '": mounted')
  end
end

-- Expects of an entry for the missing directory `new/deep` below `directory` that it is either
-- accepted and the directory made, or refused and the directory not made. Answers which.
function host.expect_made_or_refused(directory, entry)
  if not attempt.is_accepted(entry) then
    expect(#host_dirs.list(directory.path), "what the refused request made"):is(0)
    return "refused"
  end
  local sandbox = Sandbox.create { volumes = { entry } }
  expect(shell.run(sandbox, "ls -A /mnt/data"), "what is in the new directory"):is("")
  shell.run(sandbox, "echo written > /mnt/data/file.txt")
  local made = table.concat(host_dirs.list(directory.path), " ")
  expect(made, "what was made"):is("new new/deep new/deep/file.txt")
  return "made"
end

return host
