scenario {
  title    = "Unusual mount paths",
  covers   = { "VOL-PVC-001" },
  requires = { "volumes.pvc", "commands" },
}

local shell = require "shell"

-- Characters that mean something where options of mounts are written in one line; a path that the
-- image does not have, and one that it has.
local paths = {
  "/mnt/a,b", "/mnt/a,readonly", "/mnt/a b", "/mnt/a=b", "/mnt/grün", "/mnt/...", "/mnt/-o", "/mnt/$HOME",
  "/deep/down/there", "/tmp", "/mnt/trailing/",
}

step "Mounting a volume at each:"
local mounts, claims = {}, {}
for index, path in ipairs(paths) do
  local alias = "volume-" .. index
  claims[index] = volumes.create(alias, { files = { ["where.txt"] = path .. "\n" } }).name
  mounts[index] = { name = alias, pvc = { claimName = claims[index] }, mountPath = path }
end
local sandbox = Sandbox.create { volumes = mounts }
for index, path in ipairs(paths) do
  expect(sandbox):has_mount { mountPath = path, claimName = claims[index] }
  local where = shell.run(sandbox, "cd '" .. path .. "' && cat where.txt && echo new > new.txt")
  expect(where, "what is mounted at " .. path):is(path .. "\n")
  expect(volumes.read(claims[index], "new.txt"), "the file seen from outside"):is("new\n")
  say(path)
end
