scenario { title = "The host's files" }

local sandbox = Sandbox.create {}
local function fails(command)
  expect(sandbox.commands:run(command).exit_code, command):is_not(0)
end

step "Writing:"
for _, path in ipairs {
  "/usr/x", "/usr/bin/x", "/usr/local/x", "/usr/share/x", "/bin/x", "/lib/x", "/etc/alternatives/x",
  "/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/panic",
  "/proc/sys/vm/drop_caches", "/proc/sys/net/ipv4/ip_forward", "/proc/sysrq-trigger",
  "/proc/irq/default_smp_affinity", "/proc/kcore", "/proc/self/oom_score_adj.x", "/sys/x/y",
  "/etc/ld.so.cache", "/usr/bin/env", "/bin/sh",
} do
  fails("echo 1 > " .. path)
end
fails "rm -f /usr/bin/env"
fails "chmod u+s /usr/bin/env"
fails "touch /usr/bin/env"
fails "ln /usr/bin/env /usr/bin/x"
fails "echo -1000 > /proc/self/oom_score_adj"
say "no way"

step "Reading:"
say(sandbox.commands:run("ls -A /root /home /run /srv /opt /sys /mnt /var").stdout)
say(sandbox.commands:run("ls /etc").stdout)
say(sandbox.commands:run("cat /etc/passwd").stdout)
for _, path in ipairs { "/etc/shadow", "/var/lib", "/run/docker.sock", "/var/run/docker.sock", "/sys/kernel", "/boot" } do
  fails("ls -d " .. path)
end
for _, path in ipairs { "/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/sched_debug" } do
  say(path .. ": " .. sandbox.commands:run("head -c 10 " .. path .. " 2>/dev/null").stdout)
end

step "The terminal:"
fails "echo INJECTED > /dev/tty"
fails "head -c 1 < /dev/tty"
say "none"
