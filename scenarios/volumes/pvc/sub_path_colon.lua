scenario {
  title    = "SubPaths with a colon",
  covers   = { "VOL-PVC-013" },
  requires = { "volumes.pvc", "volumes.pvc.sub_path", "commands" },
}

local attempt = require "attempt"
local shell = require "shell"

-- Where engines write source, target and options of a mount in one line, a colon is between them.
local paths = { "a:b", "a:ro", "a:/mnt/elsewhere", ":b" }

local files = { ["a/where.txt"] = "a\n" }
for _, path in ipairs(paths) do
  files[path .. "/where.txt"] = path .. "\n"
end
local volume = volumes.create("with-colons", { files = files })

local function mount(path, index)
  return {
    name = "v" .. index,
    pvc = { claimName = volume.name },
    mountPath = "/mnt/" .. index,
    subPath = path,
  }
end

local function check(sandbox, path, index)
  expect(sandbox):has_mount { mountPath = "/mnt/" .. index, claimName = volume.name, subPath = path }
  local where = shell.run(sandbox, "test ! -e /mnt/elsewhere && cat /mnt/" .. index .. "/where.txt")
  expect(where, "what is mounted"):is(path .. "\n")
end

step "Mounting each, exactly that directory or not at all:"
attempt.each(paths, mount, check)
for _, path in ipairs(paths) do
  say(path)
end
