scenario {
  title    = "SubPath and readOnly together",
  covers   = { "VOL-PVC-013" },
  requires = { "volumes.pvc", "volumes.pvc.sub_path", "commands" },
}

local shell = require "shell"

local volume = volumes.create("opensandbox-pvc-demo", {
  files = { ["marker.txt"] = "root\n", ["datasets/train/data.csv"] = "id,value\n" },
})

local sandbox = Sandbox.create {
  volumes = {
    {
      name = "train-data",
      pvc = { claimName = volume.name },
      mountPath = "/mnt/data",
      subPath = "datasets/train",
      readOnly = true,
    },
  },
}
expect(sandbox):has_mount {
  mountPath = "/mnt/data", claimName = volume.name, subPath = "datasets/train", readOnly = true,
}

step "Listing and reading:"
say(shell.run(sandbox, "ls -A /mnt/data && cat /mnt/data/data.csv"))

step "Attempting to write, append and delete (should fail):"
for _, command in ipairs { "touch /mnt/data/new", "echo x >> /mnt/data/data.csv", "rm /mnt/data/data.csv" } do
  shell.expect_read_only(sandbox, command)
end
expect(volumes.read(volume.name, "datasets/train/data.csv"), "the file seen from outside"):is("id,value\n")
expect(volumes.read(volume.name, "datasets/train/new"), "a new file seen from outside"):is_nil()
say "Denied (expected)"
