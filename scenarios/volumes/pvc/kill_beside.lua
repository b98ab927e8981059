scenario {
  title    = "A sandbox goes on while another on its volume is deleted",
  covers   = { "VOL-PVC-020" },
  requires = { "volumes.pvc", "commands" },
}

local pvc = require "pvc"
local shell = require "shell"

local volume = volumes.create("shared")

local function sandbox()
  return pvc.sandbox(volume.name)
end

local a, b = concurrently(sandbox, sandbox)

-- How many lines sandbox B has written, seen from outside.
local function written()
  return select(2, (volumes.read(volume.name, "log") or ""):gsub("\n", ""))
end

step "Deleting sandbox A while sandbox B writes:"
concurrently(
  function()
    shell.run(b, "cd /mnt/shared; until test -e stop; do echo x >> log; sleep 0.01; done", { timeout = 20 })
  end,
  function()
    shell.run(a, "until test -s /mnt/shared/log; do sleep 0.01; done; echo last > /mnt/shared/a.txt", {
      timeout = 20,
    })
    a:kill()
    local before = written()
    eventually(function() return written() > before + 2 end)
    shell.run(b, "touch /mnt/shared/stop")
  end
)
say "Sandbox B went on to write"

expect(volumes.read(volume.name, "a.txt"), "what sandbox A wrote last"):is("last\n")
say("Sandbox B reads what sandbox A wrote last: " .. shell.run(b, "cat /mnt/shared/a.txt"))
