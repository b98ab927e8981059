scenario { title = "Links lead nowhere outside", requires = { "volumes.pvc", "volumes.pvc.sub_path" } }

local volume = volumes.create("linked", { files = { ["d/f"] = "inside\n" } })
local function at(sub_path)
  return { volumes = { { name = "v", pvc = { claimName = volume.name }, mountPath = "/mnt/data", subPath = sub_path } } }
end
local maker = Sandbox.create(at(nil))
for name, target in pairs {
  up = "..", ups = "../../..", far = "../../../../../../../../..", root = "/", etc = "/etc", proc = "/proc/self/root",
  fd = "/proc/self/fd/0", one = "/proc/1/cwd", mnt = "/mnt/data/d", loop = "loop", nowhere = "/no/such/folder",
} do
  expect(maker.commands:run("ln -s " .. target .. " /mnt/data/" .. name).exit_code):is(0)
  -- From `d`, one folder up is still inside.
  local deeper = target:sub(1, 1) == "/" and target or "../" .. target
  expect(maker.commands:run("ln -s " .. deeper .. " /mnt/data/d/" .. name).exit_code):is(0)
end
step "By subPath:"
for _, name in ipairs { "up", "ups", "far", "root", "etc", "proc", "fd", "one", "mnt", "loop", "nowhere" } do
  for _, path in ipairs { name, name .. "/x", "d/" .. name .. "/etc", "d/" .. name, "d/../" .. name } do
    local refused = expect.rejected(Sandbox.create, at(path))
    expect(refused.status, path):is(400)
  end
end
say "no way"
step "From outside:"
for _, name in ipairs { "up/labels.json", "root/etc/passwd", "etc/passwd", "proc/etc/passwd", "far/etc/passwd" } do
  expect(volumes.read(volume.name, name), name):is_nil()
end
say(volumes.read(volume.name, "d/f"))
