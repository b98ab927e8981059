scenario {
  title    = "Two volumes with one name",
  covers   = { "VOL-COMMON-005" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

-- With the default, createIfNotExists true, and without anybody who would delete them again.
local first, second, third = volumes.name("first"), volumes.name("second"), volumes.name("third")

local function volume(name, claim, path)
  return { name = name, pvc = { claimName = claim }, mountPath = path }
end

step "Two next to each other:"
refusal.of_volumes({
  volume("vol-twice", first, "/mnt/a"),
  volume("vol-twice", second, "/mnt/b"),
}, { "vol-twice" }, 2)
say "400, and the message names it"

step "Two with another between them:"
refusal.of_volumes({
  volume("vol-twice", first, "/mnt/a"),
  volume("other", second, "/mnt/b"),
  volume("vol-twice", third, "/mnt/c"),
}, { "vol-twice" }, 3)
say "400, and the message names it"

for index, claim in ipairs { first, second, third } do
  expect(volumes.exists(claim), "volume " .. index):is(false)
end
say "No volume was made"
