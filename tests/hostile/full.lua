scenario { title = "Files end where the memory does" }

local sandbox = Sandbox.create { resourceLimits = { cpu = "500m", memory = "64Mi" } }
step "Filling:"
for _, folder in ipairs { "/tmp", "/dev/shm", "/var/tmp", "/root", "" } do
  local result = sandbox.commands:run("dd if=/dev/zero of=" .. folder .. "/fill bs=1M; e=$?; rm " .. folder .. "/fill; exit $e")
  expect(result.exit_code):is(1)
  expect(result.stderr):contains("No space left on device")
end
say "full"
step "Many files:"
sandbox.commands:run("i=0; while : > /tmp/$i; do i=$((i+1)); [ $i -lt 20000 ] || break; done; rm -r /tmp/*", { timeout = 20 })
say(sandbox.commands:run("echo alive").stdout)
