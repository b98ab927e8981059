scenario {
  title    = "claimName: up to 253 characters",
  covers   = { "VOL-PVC-012" },
  requires = { "volumes.pvc", "commands" },
}

local shell = require "shell"

-- A unique name of that many characters.
local function of_length(length)
  local name = api.unique("claim")
  return name .. "-" .. ("x"):rep(length - #name - 1)
end

step "Claiming new volumes with long names:"
local claims, mounts = {}, {}
for index, length in ipairs { 63, 64, 253 } do
  claims[index] = of_length(length)
  mounts[index] = {
    name = "v" .. length,
    pvc = { claimName = claims[index], deleteOnSandboxTermination = true },
    mountPath = "/mnt/" .. length,
  }
end
local sandbox = Sandbox.create { volumes = mounts }
for index, claim in ipairs(claims) do
  local path = mounts[index].mountPath
  expect(sandbox):has_mount { mountPath = path, claimName = claim }
  shell.run(sandbox, "echo x > " .. path .. "/file.txt")
  expect(volumes.read(claim, "file.txt"), "the file seen from outside"):is("x\n")
  say(#claim .. " characters: made and mounted")
end
