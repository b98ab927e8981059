scenario {
  title    = "Two sandboxes at work on one volume at the same time",
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
expect(a):has_mount { mountPath = "/mnt/shared", claimName = volume.name }
expect(b):has_mount { mountPath = "/mnt/shared", claimName = volume.name }

-- Each waits for the other's file before it writes its own next one.
local function turns(mine, theirs)
  return string.format([[
    cd /mnt/shared
    for i in 1 2 3 4 5 6 7 8 9 10; do
      %s
      echo "$i" > %s.$i
      %s
    done]],
    mine == "b" and "until test -e a.$i; do sleep 0.01; done" or "",
    mine,
    mine == "a" and "until test -e " .. theirs .. ".$i; do sleep 0.01; done" or "")
end

step "Passing a turn to and fro, ten times:"
concurrently(
  function() shell.run(a, turns("a", "b"), { timeout = 20 }) end,
  function() shell.run(b, turns("b", "a"), { timeout = 20 }) end
)
for i = 1, 10 do
  expect(volumes.read(volume.name, "a." .. i), "turn " .. i .. " of sandbox A"):is(i .. "\n")
  expect(volumes.read(volume.name, "b." .. i), "turn " .. i .. " of sandbox B"):is(i .. "\n")
end
say "Each saw what the other wrote, while it wrote"

step "Appending to one file, 200 lines each:"
local function append(who, name)
  shell.run(who, "for i in $(seq 200); do echo " .. name .. " $i >> /mnt/shared/log; done", { timeout = 20 })
end
concurrently(function() append(a, "a") end, function() append(b, "b") end)
local last = { a = 0, b = 0 }
for line in volumes.read(volume.name, "log"):gmatch("[^\n]*\n") do
  local name, number = line:match("^([ab]) (%d+)\n$")
  expect(name, "whose line " .. line .. " is"):is_not_nil()
  last[name] = last[name] + 1
  expect(tonumber(number), "the next line of " .. name):is(last[name])
end
expect(last, "the lines of each"):is { a = 200, b = 200 }
say "No line is lost or torn"
