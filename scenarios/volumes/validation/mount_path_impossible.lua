scenario {
  title    = "Mount paths where no directory can be",
  covers   = { "VOL-COMMON-006", "VOL-PVC-010" },
  requires = { "volumes.pvc" },
}

local failure = require "failure"
local removal = require "removal"

local claim = volumes.name("never-mounted")

step "Mounting a volume at:"
for _, path in ipairs { "/dev/null/data", "/proc/data" } do
  local failed = failure.of {
    volumes = {
      { name = "v", pvc = { claimName = claim, deleteOnSandboxTermination = true }, mountPath = path },
    },
  }
  expect(failed, "a sandbox with a volume at " .. path .. " fails"):is(true)
  say(path .. ": it fails")
end

removal.await(claim)
say "No volume is left"
