scenario {
  title    = "A volume's name: 1 to 63 characters",
  covers   = { "VOL-COMMON-004" },
  requires = { "volumes.pvc", "commands" },
}

local names = { "a", "7", "0-0", "a--b", ("n"):rep(63), ("1-"):rep(31) .. "1" }

step "Mounting volumes with these names:"
local mounts, claims = {}, {}
for index, name in ipairs(names) do
  claims[index] = volumes.create("volume-" .. index).name
  mounts[index] = { name = name, pvc = { claimName = claims[index] }, mountPath = "/mnt/" .. index }
end
local sandbox = Sandbox.create { volumes = mounts }
for index, name in ipairs(names) do
  expect(sandbox):has_mount { mountPath = "/mnt/" .. index, claimName = claims[index] }
  say(name)
end
