scenario {
  title  = "Unknown members of a bucket",
  covers = { "VOL-COMMON-007" },
}

local refusal = require "refusal"

step "Giving ossfs another member:"
for _, member in ipairs { "bogus", "region", "readOnly" } do
  local ossfs = { bucket = "bucket", endpoint = "oss.invalid", accessKeyId = "id", accessKeySecret = "secret" }
  ossfs[member] = "x"
  refusal.of_volume({ ossfs = ossfs }, member)
  say(member .. ": 400")
end
