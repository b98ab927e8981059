scenario {
  title    = "OSS bucket: a name that leads elsewhere on the host",
  covers   = { "VOL-OSSFS-003" },
  requires = { "volumes.host" },
}

local ossfs = require "ossfs"

local directory = host_dirs.create("b")

-- Servers mount a bucket in a directory that has its name. As many steps upwards as a bucket's name
-- has room for lead to the root from there, and down again into a directory that we can look into.
local down = directory.path:sub(2) .. "/x"
local steps = (63 - #down) // 3
if steps < 4 then
  skip "the allowed prefix is too long for the name of a bucket"
end

step "Asking for an OSS bucket whose name is a path upwards:"
ossfs.expect_refused({ bucket = ("../"):rep(steps) .. down }, "bucket")
say "refused"

step "Listing the host directory that it leads to, where nothing may have been made:"
expect(#host_dirs.list(directory.path), "what is there"):is(0)
say "nothing"
