scenario {
  title    = "Two volumes at one mountPath",
  covers   = { "VOL-COMMON-006" },
  requires = { "volumes.pvc" },
}

local attempt = require "attempt"
local removal = require "removal"

local first, second = volumes.name("first"), volumes.name("second")

local function volume(name, claim, path)
  return { name = name, pvc = { claimName = claim, deleteOnSandboxTermination = true }, mountPath = path }
end

step "Mounting one volume at /mnt/data and another at:"
for _, path in ipairs { "/mnt/data", "/mnt/data/", "/mnt//data", "/mnt/./data" } do
  local sandbox = attempt.create {
    volumes = { volume("a", first, "/mnt/data"), volume("b", second, path) },
  }
  expect(sandbox, "a sandbox with a volume at /mnt/data and another at " .. path):is_nil()
  say(path .. ": an error and no sandbox")
end

removal.await(first)
removal.await(second)
say "No volume is left"
