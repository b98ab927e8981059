scenario {
  title    = "A volume at the root directory",
  covers   = { "VOL-COMMON-006" },
  requires = { "volumes.pvc" },
}

local attempt = require "attempt"
local removal = require "removal"

local claim = volumes.name("never-mounted")

step "Mounting a volume at:"
for _, path in ipairs { "/", "//", "/.", "/..", "/mnt/.." } do
  local sandbox = attempt.create {
    volumes = {
      { name = "v", pvc = { claimName = claim, deleteOnSandboxTermination = true }, mountPath = path },
    },
  }
  expect(sandbox, "a sandbox with a volume at " .. path):is_nil()
  say(path .. ": an error and no sandbox")
end

removal.await(claim)
say "No volume is left"
