scenario {
  title    = "Mount paths with a colon or with two dots",
  covers   = { "VOL-COMMON-006" },
  requires = { "volumes.pvc", "commands" },
}

local attempt = require "attempt"
local shell = require "shell"

local volume = volumes.create("marked", { files = { ["marker.txt"] = "here\n" } })

-- What is asked for, and where the volume is in the sandbox then, if it is anywhere. Where engines
-- write source, target and options of a mount in one line, a colon is between them.
local cases = {
  { asked = "/mnt/a:b", place = "/mnt/a:b" },
  { asked = "/mnt/a:ro", place = "/mnt/a:ro" },
  { asked = "/mnt/a:/mnt/b", place = "/mnt/a:/mnt/b" },
  { asked = "/mnt/a/../c", place = "/mnt/c" },
  { asked = "/../mnt/d", place = "/mnt/d" },
}

local function mount(case, index)
  return { name = "v" .. index, pvc = { claimName = volume.name }, mountPath = case.asked }
end

local function check(sandbox, case)
  expect(sandbox):has_mount { mountPath = case.place, claimName = volume.name }
  local marker = shell.run(sandbox, "cd '" .. case.place .. "' && touch new.txt && cat marker.txt")
  expect(marker, "what is mounted at " .. case.place):is("here\n")
  shell.run(sandbox, "test ! -e /mnt/a/marker.txt && test ! -e /mnt/b/marker.txt")
end

step "Mounting a volume, exactly there or not at all:"
attempt.each(cases, mount, check)
for _, case in ipairs(cases) do
  say(case.asked)
end
