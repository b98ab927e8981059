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
local points = mount_points(without)
for _, point in ipairs(points) do
  -- Where all of our volumes are.
  expect(point == "/mnt" or point:sub(1, 5) == "/mnt/", "something is mounted at " .. point):is(false)
end
expect(mount_points(with_none), "where something is mounted"):is(points)
say "Both run, with the same mounts and none below /mnt"
