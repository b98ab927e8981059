scenario { title = "Nobody gains rights" }

local sandbox = Sandbox.create {}
local function fails(command)
  expect(sandbox.commands:run(command).exit_code, command):is_not(0)
end

step "What there is:"
say(sandbox.commands:run("grep -e ^Cap -e ^NoNewPrivs /proc/self/status").stdout)
say(sandbox.commands:run("cat /proc/sys/user/max_user_namespaces").stdout)

step "User namespaces:"
fails "unshare -U true"
fails "unshare -Ur true"
fails "unshare -Urm true"
fails "echo 1000 > /proc/sys/user/max_user_namespaces"
fails "echo 0 0 4294967295 > /proc/self/uid_map"
say "no way"

step "Devices:"
for _, device in ipairs { "b 8 0", "b 254 0", "b 259 0", "b 7 0", "c 1 1", "c 1 2", "c 10 200", "c 10 229", "c 5 1" } do
  for _, place in ipairs { "/tmp", "/dev", "/dev/shm" } do
    fails("mknod " .. place .. "/device " .. device .. " && head -c 1 " .. place .. "/device")
  end
end
say(sandbox.commands:run("ls /dev").stdout)

step "The kernel:"
fails "dmesg -n 1"
fails "date -s 2000-01-01"
fails "hostname evil"
fails "swapoff -a && swapon /tmp/x"
fails "nice -n -5 true 2>&1 | grep -v 'cannot set'"
fails "ulimit -u 2000"
fails "ip link add dummy0 type dummy"
fails "modprobe dummy"
fails "reboot -f"
fails "chroot / mount -t tmpfs none /mnt"
say "no way"
