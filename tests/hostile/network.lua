scenario { title = "There is no network" }

local sandbox = Sandbox.create {}
step "Interfaces:"
say(sandbox.commands:run("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").stdout)
say(sandbox.commands:run("tail -n +2 /proc/net/route").stdout)
say(sandbox.commands:run("grep -c @ /proc/net/unix").stdout)
step "Reaching out:"
for _, place in ipairs { "127.0.0.1/22", "127.0.0.1/2375", "1.1.1.1/53", "169.254.169.254/80" } do
  local result = sandbox.commands:run("bash -c 'echo > /dev/tcp/" .. place .. "'", { timeout = 5 })
  expect(result.exit_code, place):is_not(0)
end
say "no way"
