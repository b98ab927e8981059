scenario {
  title    = "A subPath that leads out of the volume",
  covers   = { "VOL-PVC-016" },
  requires = { "volumes.pvc", "volumes.pvc.sub_path" },
}

local refusal = require "refusal"

local wrong = {
  "..", "../", "../x", "../../../etc", "a/..", "a/../b", "a/../../b", "./..", "a//..", "/", "/x", "//x",
}

-- With the default, createIfNotExists true, and without anybody who would delete them again.
local good, bad = volumes.name("beside-it"), volumes.name("at-fault")

step "Claiming a volume with these subPaths, beside one that is right:"
for _, path in ipairs(wrong) do
  refusal.of_volumes({
    { name = "vol-beside", pvc = { claimName = good }, mountPath = "/mnt/a" },
    { name = "vol-at-fault", pvc = { claimName = bad }, mountPath = "/mnt/b", subPath = path },
  }, { "vol-at-fault", path }, 2)
  say(refusal.show(path) .. ": 400")
end

expect(volumes.exists(good), "the volume beside it"):is(false)
expect(volumes.exists(bad), "the volume at fault"):is(false)
say "No volume was made"
