scenario {
  title    = "A subPath that does not exist yet",
  covers   = { "VOL-PVC-015" },
  requires = { "volumes.pvc", "volumes.pvc.sub_path", "commands" },
}

local attempt = require "attempt"
local shell = require "shell"

local before = volumes.create("from-before", { files = { ["there/marker.txt"] = "from-before\n" } })
local cases = {
  { claim = before.name, path = "not-there" },
  { claim = before.name, path = "there/not" },
  { claim = volumes.name("made-for-it"), path = "a/b" },
}

local function mount(case, index)
  return {
    name = "v" .. index,
    pvc = { claimName = case.claim, deleteOnSandboxTermination = true },
    mountPath = "/mnt/" .. index,
    subPath = case.path,
  }
end

local function check(sandbox, case, index)
  local path = "/mnt/" .. index
  expect(sandbox):has_mount { mountPath = path, claimName = case.claim, subPath = case.path }
  local found = shell.run(sandbox, "cd " .. path .. " && ls -A && echo x > file.txt")
  expect(found, "what is in the new directory"):is("")
  expect(volumes.read(case.claim, case.path .. "/file.txt"), "the file seen from outside"):is("x\n")
end

local function refused(answer)
  expect(answer.status, "the status of the refusal"):is_at_most(499)
end

step "Mounting directories that two volumes, one of them new, do not have:"
attempt.each(cases, mount, check, refused)
expect(volumes.read(before.name, "there/marker.txt"), "what was in it"):is("from-before\n")
say "Made, empty and writable, or refused"
