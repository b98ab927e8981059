scenario {
  title    = "mountPath begins with a slash",
  covers   = { "VOL-COMMON-002" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local wrong = {
  "", "d", "mnt/data", "./mnt/data", "../mnt", "~", "~/data", " /mnt/data", "\n/mnt/data", "\\mnt", "C:\\data",
}

step "Mounting a volume at these paths:"
local claim = volumes.name("never-made")
for _, path in ipairs(wrong) do
  refusal.of_volume({ pvc = refusal.pvc(claim), mountPath = path }, path)
  say(refusal.show(path) .. ": 400")
end
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
