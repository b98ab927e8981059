scenario {
  title    = "No volumes",
  covers   = { "VOL-COMMON-001" },
  requires = { "commands" },
}

local shell = require "shell"

-- Where something is mounted in the sandbox, in an order of its own.
local function mount_points(sandbox)
  local points = {}
  for line in shell.run(sandbox, "cat /proc/self/mountinfo"):gmatch("[^\n]+") do
    points[#points + 1] = line:match("^%S+ %S+ %S+ %S+ (%S+)")
  end
  table.sort(points)
  return points
end

step "Creating a sandbox with volumes left out, and one with an empty list:"
local without, with_none = concurrently(
  function() return Sandbox.create {} end,
  function() return Sandbox.create { volumes = api.list() } end
)
expect(mount_points(with_none), "where something is mounted"):is(mount_points(without))
say "Both run, with the same mounts"
