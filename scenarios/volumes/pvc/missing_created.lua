scenario {
  title    = "A claim without a volume gets one",
  covers   = { "VOL-PVC-003" },
  requires = { "volumes.pvc", "commands" },
}

local shell = require "shell"

local claims = { ["by-default"] = volumes.name("by-default"), ["on-request"] = volumes.name("on-request") }
for alias, claim in pairs(claims) do
  expect(volumes.exists(claim), "the volume " .. alias .. " before"):is(false)
end

step "Creating a sandbox with two claims, createIfNotExists left out and true:"
local sandbox = Sandbox.create {
  volumes = {
    { name = "a", pvc = { claimName = claims["by-default"] }, mountPath = "/mnt/by-default" },
    {
      name = "b",
      pvc = { claimName = claims["on-request"], createIfNotExists = true },
      mountPath = "/mnt/on-request",
    },
  },
}
for _, alias in ipairs { "by-default", "on-request" } do
  local claim, path = claims[alias], "/mnt/" .. alias
  expect(volumes.exists(claim), "the volume " .. alias .. " after"):is(true)
  expect(sandbox):has_mount { mountPath = path, claimName = claim }
  expect(shell.run(sandbox, "ls -A " .. path), "what is in the new volume"):is("")
  shell.run(sandbox, "echo " .. alias .. " > " .. path .. "/file.txt")
  expect(volumes.read(claim, "file.txt"), "the file seen from outside"):is(alias .. "\n")
  say(alias .. ": made, empty, writable")
end
