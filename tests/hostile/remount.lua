scenario { title = "A read-only volume stays so", requires = { "volumes.pvc", "volumes.pvc.sub_path" } }

local volume = volumes.create("precious", { files = { ["f"] = "precious\n", ["part/g"] = "part\n" } })
local sandbox = Sandbox.create {
  volumes = {
    { name = "ro", pvc = { claimName = volume.name }, mountPath = "/ro", readOnly = true },
    { name = "part", pvc = { claimName = volume.name }, mountPath = "/part", subPath = "part", readOnly = true },
  },
}

-- The command itself may end as it likes: what counts is that nothing can be written afterwards.
local attempts = {
  "mount -o remount,rw /ro",
  "mount -o remount,bind,rw /ro",
  "mount -o remount,rw none /ro",
  "mount --bind /ro /tmp && mount -o remount,bind,rw /tmp",
  "mount --bind /proc/self/root/ro /mnt",
  "mount --bind /proc/self/cwd /mnt",
  "mount --move /ro /mnt",
  "mount -t proc proc /mnt",
  "mount -t tmpfs none /mnt",
  "mount -t overlay overlay -o lowerdir=/ro,upperdir=/tmp,workdir=/run /mnt",
  "mount --make-rshared /",
  "umount /ro",
  "umount -l /ro",
  "umount -l /part",
  "umount -l /proc/sys",
  "unshare -m true",
  "unshare -Ur true",
  "unshare -Urm mount -o remount,bind,rw /ro",
  "unshare -Urm sh -c 'umount -l /ro; mount --bind /ro /mnt'",
  "unshare -Urpf --mount-proc true",
  "unshare -n true",
  "unshare -C true",
  "nsenter -t 1 -m true",
  "nsenter -t 1 -U true",
  "nsenter -t 1 -a true",
  "nsenter -m/proc/1/ns/mnt true",
  "pivot_root /ro /ro",
}
step "Remounting:"
for _, attempt in ipairs(attempts) do
  local result = sandbox.commands:run(attempt)
  expect(result.exit_code, attempt):is_not(0)
end
say "no way"

step "Writing:"
for _, attempt in ipairs {
  "echo x > /ro/f",
  "echo x > /part/g",
  "touch /ro/new",
  "rm -f /ro/f",
  "chmod 777 /ro/f",
  "chown 1 /ro/f",
  "mv /ro/f /ro/e",
  "ln /ro/f /ro/h",
  "ln -s x /ro/s",
  "truncate -s 0 /ro/f",
  "mkdir /ro/d",
  "mknod /ro/p p",
  "echo x > /proc/self/root/ro/f",
  "echo x > /proc/1/root/ro/f",
  "cd /ro && echo x > /proc/self/cwd/f",
  "exec 3< /ro/f && echo x > /proc/self/fd/3",
} do
  local result = sandbox.commands:run(attempt)
  expect(result.exit_code, attempt):is_not(0)
end
expect(volumes.read(volume.name, "f")):is("precious\n")
expect(volumes.read(volume.name, "part/g")):is("part\n")
say(sandbox.commands:run("ls -A /ro /part").stdout)
