scenario {
  title  = "Unknown members of a bucket",
  covers = { "VOL-COMMON-007" },
}

local ossfs = require "ossfs"

step "Giving ossfs another member:"
for _, member in ipairs { "bogus", "region", "readOnly" } do
  ossfs.expect_refused({ [member] = "x" }, member)
  say(member .. ": 400")
end
