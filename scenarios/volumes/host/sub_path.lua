scenario {
  title    = "SubPath Host Directory Mount",
  number   = 3,
  covers   = { "VOL-HOST-002" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"
local shell = require "shell"

local directory = host_dirs.create("opensandbox-host-demo", {
  files = {
    ["marker.txt"] = "hello-from-host\n",
    ["datasets/train/data.csv"] = "id,value\n1,100\n2,200\n",
    ["datasets/test/data.csv"] = "id,value\n3,300\n",
  },
})

local sandbox = host.sandbox(directory.path, { subPath = "datasets/train" })
expect(sandbox):has_mount {
  mountPath = "/mnt/data", hostPath = directory.path .. "/datasets/train",
}

step "Listing everything below the mount:"
say(shell.run(sandbox, "cd /mnt/data && find . -mindepth 1"))

step "Reading data.csv:"
say(shell.run(sandbox, "cat /mnt/data/data.csv"))

step "Writing below the mount, and reading it through the whole directory:"
shell.run(sandbox, "echo 4,400 >> /mnt/data/data.csv")
say(shell.run(host.sandbox(directory.path), "cat /mnt/data/datasets/train/data.csv"))
expect(host_dirs.read(directory.path, "datasets/train/data.csv"), "the file on the host")
  :is("id,value\n1,100\n2,200\n4,400\n")
