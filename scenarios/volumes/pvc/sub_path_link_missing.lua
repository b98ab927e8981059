scenario {
  title    = "A subPath through a link out of the volume to a name that does not exist",
  covers   = { "VOL-PVC-018" },
  requires = { "volumes.pvc", "volumes.pvc.sub_path", "commands" },
}

local attempt = require "attempt"
local shell = require "shell"

local volume = volumes.create("own")
-- Engines keep volumes side by side, so that a link may lead from one into another, where it can be
-- seen what came of it.
local neighbour = volumes.create("neighbour", { files = { ["secret/secret.txt"] = "secret\n" } })

step "Making links in a volume:"
local a = Sandbox.create {
  volumes = {
    { name = "own", pvc = { claimName = volume.name }, mountPath = "/mnt/own" },
    { name = "neighbour", pvc = { claimName = neighbour.name }, mountPath = "/mnt/neighbour", readOnly = true },
  },
}
for _, link in ipairs {
  "../../" .. neighbour.name .. "/_data evil",
  "../../" .. neighbour.name .. "/_data/not-there dangling",
} do
  shell.run(a, "cd /mnt/own && ln -s " .. link)
  say("ln -s " .. link)
end

step "Mounting names behind them that do not exist:"
for _, path in ipairs { "evil/new", "evil/secret/new", "evil/new/deep", "dangling", "dangling/new" } do
  local b = attempt.create {
    volumes = {
      { name = "v", pvc = { claimName = volume.name }, mountPath = "/mnt/data", subPath = path },
    },
  }
  if b then
    shell.run(b, "echo x > /mnt/data/written.txt")
    b:kill()
  end
  local seen = shell.run(a, "cd /mnt/neighbour && find . -mindepth 1 | sort")
  expect(seen, "what is in the neighbour after mounting " .. path):is("./secret\n./secret/secret.txt\n")
  say(path .. ": refused or harmless")
end
