scenario {
  title  = "OSS bucket: the secret where a mount fails",
  covers = { "VOL-OSSFS-007" },
}

local rest = require "rest"
local ossfs = require "ossfs"

step "Asking for an OSS bucket that cannot be mounted:"
for _, version in ipairs { "1.0", "2.0" } do
  local answer = rest.create { volumes = { ossfs.entry { version = version } } }
  expect(answer.text, "the answer"):does_not_contain(ossfs.secret)
end
say "The secret is not repeated"

step "Listing all sandboxes:"
expect(rest.get("/sandboxes").text):does_not_contain(ossfs.secret)
say "The secret is not in the list"
