scenario {
  title    = "Two sandboxes that claim a missing volume at the same time",
  covers   = { "VOL-PVC-003", "VOL-PVC-020" },
  requires = { "volumes.pvc", "commands" },
}

local pvc = require "pvc"
local shell = require "shell"

local claim = volumes.name("wanted-by-both")

local function sandbox()
  return pvc.sandbox(claim)
end

step "Creating both:"
local a, b = concurrently(sandbox, sandbox)
expect(volumes.exists(claim), "the volume"):is(true)
say "Both run, and there is a volume"

step "Writing in each, reading in the other:"
concurrently(
  function() shell.run(a, "echo from-a > /mnt/shared/a.txt") end,
  function() shell.run(b, "echo from-b > /mnt/shared/b.txt") end
)
say(shell.run(a, "cat /mnt/shared/b.txt"))
say(shell.run(b, "cat /mnt/shared/a.txt"))
expect(volumes.read(claim, "a.txt"), "the file of A seen from outside"):is("from-a\n")
expect(volumes.read(claim, "b.txt"), "the file of B seen from outside"):is("from-b\n")
