scenario {
  title    = "SubPath PVC (Named Volume) Mount",
  number   = 4,
  covers   = { "VOL-PVC-013" },
  requires = { "volumes.pvc", "volumes.pvc.sub_path", "commands" },
}

local listing = require "listing"

local volume = volumes.create("opensandbox-pvc-demo", {
  files = {
    ["marker.txt"] = "hello-from-named-volume\n",
    ["datasets/train/data.csv"] = "id,value\n1,100\n2,200\n",
  },
})

local sandbox = Sandbox.create {
  volumes = {
    {
      name = "train-data",
      pvc = { claimName = volume.name },
      mountPath = "/mnt/training-data",
      subPath = "datasets/train",
    },
  },
}
expect(sandbox):has_mount {
  mountPath = "/mnt/training-data", claimName = volume.name, subPath = "datasets/train",
}

step "Listing mounted subpath content:"
say(listing.format(sandbox.commands:run("ls -la /mnt/training-data/").stdout))

step "Reading data.csv:"
say(sandbox.commands:run("cat /mnt/training-data/data.csv").stdout)

step "Verifying volume root is NOT visible:"
local marker = sandbox.commands:run("test -f /mnt/training-data/marker.txt && echo FOUND || echo NOT-FOUND")
say("marker.txt at mount root: " .. marker.stdout)
expect(marker.stdout):is("NOT-FOUND\n")

-- What is written below the mount is in the subdirectory, seen from outside.
expect(sandbox.commands:run("echo 3,300 >> /mnt/training-data/data.csv").exit_code):is(0)
expect(volumes.read(volume.name, "datasets/train/data.csv")):is("id,value\n1,100\n2,200\n3,300\n")
say "-> Confirmed: subPath isolation is working correctly"
