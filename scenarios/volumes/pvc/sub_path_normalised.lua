scenario {
  title    = "Odd but legal subPaths",
  covers   = { "VOL-PVC-019" },
  requires = { "volumes.pvc", "volumes.pvc.sub_path", "commands" },
}

local shell = require "shell"

-- What is asked for, and the directory that it is.
local cases = {
  { alias = "empty", asked = "", is = "" },
  { alias = "dot", asked = ".", is = "" },
  { alias = "dot-slash", asked = "./a/", is = "a/" },
  { alias = "doubled", asked = "a//b", is = "a/b/" },
  { alias = "dots", asked = "./a/./b/.", is = "a/b/" },
}

step "Mounting volumes with these subPaths:"
local mounts = {}
for index, case in ipairs(cases) do
  -- One volume each: what one mount makes of another is another question.
  case.volume = volumes.create(case.alias, { files = { ["a/b/file.txt"] = "in a/b\n" } })
  mounts[index] = {
    name = case.alias,
    pvc = { claimName = case.volume.name },
    mountPath = "/mnt/" .. case.alias,
    subPath = case.asked,
  }
end
local sandbox = Sandbox.create { volumes = mounts }
for _, case in ipairs(cases) do
  local below = ("a/b/file.txt"):sub(#case.is + 1)
  local file = shell.run(sandbox, "cd /mnt/" .. case.alias .. " && cat " .. below .. " && echo new > new.txt")
  expect(file, "what was there"):is("in a/b\n")
  expect(volumes.read(case.volume.name, case.is .. "new.txt"), "the file seen from outside"):is("new\n")
  say(string.format("%-10s is %s", '"' .. case.asked .. '"', case.is == "" and "the volume's root" or case.is))
end
