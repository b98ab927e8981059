scenario { title = "The first process is out of reach" }

local sandbox = Sandbox.create {}
local function fails(command)
  expect(sandbox.commands:run(command).exit_code, command):is_not(0)
end

step "Looking into it:"
for _, name in ipairs { "environ", "mem", "auxv", "stack", "syscall", "io", "map_files" } do
  fails("ls /proc/1/" .. name .. "/ >/dev/null || head -c 1 /proc/1/" .. name)
end
for _, name in ipairs { "exe", "cwd", "root", "ns/mnt", "fd/0", "fd/1" } do
  fails("readlink /proc/1/" .. name)
end
say "no way"

step "Speaking in its place:"
for _, stream in ipairs { 0, 1, 2, 3, 4, 5, 6, 7, 8 } do
  fails(": > /proc/1/fd/" .. stream)
  fails("cat < /proc/1/fd/" .. stream)
end
fails "echo x > /proc/1/mem"
fails "cp /bin/sh /proc/1/exe"
say "no way"

step "Ending it:"
for _, signal in ipairs { "KILL", "STOP", "TERM", "INT", "HUP", "QUIT", "SEGV", "USR1", "CHLD", "PIPE" } do
  sandbox.commands:run("kill -" .. signal .. " 1")
end
say(sandbox.commands:run("echo alive").stdout)
-- All others at once, also the entrypoint, whose end is the sandbox's.
pcall(function() sandbox.commands:run("kill -9 -1") end)
eventually(function() return sandbox:info().status.state == "Failed" end)
say "ended with its entrypoint"
