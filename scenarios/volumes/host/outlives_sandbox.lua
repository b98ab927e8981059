scenario {
  title    = "A host directory outlives its sandbox",
  covers   = { "VOL-HOST-011" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"
local shell = require "shell"

local directory = host_dirs.create("data", { files = { ["marker.txt"] = "hello-from-host\n" } })

step "Writing in a sandbox, which is then deleted:"
local sandbox = host.sandbox(directory.path)
shell.run(sandbox, "echo written-by-sandbox > /mnt/data/sandbox-output.txt")
host.delete(sandbox)
say "-> Written: /mnt/data/sandbox-output.txt"
expect(host_dirs.read(directory.path, "marker.txt"), "marker.txt on the host"):is("hello-from-host\n")
expect(host_dirs.read(directory.path, "sandbox-output.txt"), "the new file on the host")
  :is("written-by-sandbox\n")

step "Reading the directory in another sandbox:"
say(shell.run(host.sandbox(directory.path), "cd /mnt/data && cat marker.txt sandbox-output.txt"))
