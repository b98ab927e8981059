scenario {
  title    = "A subPath that is a link out of the volume",
  covers   = { "VOL-PVC-017" },
  requires = { "volumes.pvc", "volumes.pvc.sub_path", "commands" },
}

local attempt = require "attempt"
local shell = require "shell"

local volume = volumes.create("own", { files = { ["own.txt"] = "own\n" } })
-- Engines keep volumes side by side, so that a link may lead from one into another.
local neighbour = volumes.create("neighbour", { files = { ["secret/secret.txt"] = "secret\n" } })

step "Making links in a volume:"
local a = Sandbox.create {
  volumes = { { name = "v", pvc = { claimName = volume.name }, mountPath = "/mnt/data" } },
}
for _, link in ipairs {
  "../../" .. neighbour.name .. "/_data neighbour",
  "neighbour indirect",
  "/ root",
  "../../../../../../.. up",
} do
  shell.run(a, "cd /mnt/data && ln -s " .. link)
  say("ln -s " .. link)
end
local inside = shell.run(a, "ls -A /mnt/data")

step "Mounting what they lead to:"
for _, path in ipairs {
  "neighbour", "neighbour/secret", "indirect", "indirect/secret", "root", "root/etc", "up", "up/etc",
} do
  -- Read-only, in case that it is this machine's own root.
  local b = attempt.create {
    volumes = {
      {
        name = "v",
        pvc = { claimName = volume.name },
        mountPath = "/mnt/data",
        subPath = path,
        readOnly = true,
      },
    },
  }
  if b then
    local seen = shell.run(b, "ls -A /mnt/data")
    expect(seen == "" or seen == inside, path .. " shows nothing but the volume, not " .. seen):is(true)
    b:kill()
  end
  say(path .. ": refused or harmless")
end
