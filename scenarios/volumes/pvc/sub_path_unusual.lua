scenario {
  title    = "SubPaths with unusual characters",
  covers   = { "VOL-PVC-013" },
  requires = { "volumes.pvc", "volumes.pvc.sub_path", "commands" },
}

local shell = require "shell"

-- Characters that mean something where options of mounts are written in one line.
local paths = { "a,b", "a,readonly", "a b", "a=b", "grün", "...", "..a/b..", "-o", "a;b", "$HOME", "%2e%2e" }

local files = {}
for _, path in ipairs(paths) do
  files[path .. "/where.txt"] = path .. "\n"
end
local volume = volumes.create("unusual", { files = files })

step "Mounting each:"
local mounts = {}
for index, path in ipairs(paths) do
  mounts[index] = {
    name = "v" .. index,
    pvc = { claimName = volume.name },
    mountPath = "/mnt/" .. index,
    subPath = path,
  }
end
local sandbox = Sandbox.create { volumes = mounts }
for index, path in ipairs(paths) do
  expect(sandbox):has_mount { mountPath = "/mnt/" .. index, claimName = volume.name, subPath = path }
  local where = shell.run(sandbox, "cd /mnt/" .. index .. " && cat where.txt && echo new > new.txt")
  expect(where, "what is mounted"):is(path .. "\n")
  expect(volumes.read(volume.name, path .. "/new.txt"), "the file seen from outside"):is("new\n")
  say(path)
end
