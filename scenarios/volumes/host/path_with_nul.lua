scenario {
  title    = "A host path with a zero byte",
  covers   = { "ERR-001" },
  requires = { "volumes.host" },
}

local failure = require "failure"
local host = require "host"

local directory = host_dirs.create("data")

step "Asking for a directory that no file system can hold:"
failure.expect_of_volume(host.entry(directory.path .. "/a\0b"))
say "as host.path: the create fails"
failure.expect_of_volume(host.entry(directory.path, { subPath = "a\0b" }))
say "as subPath: the create fails"

step "Listing the directory above afterwards:"
expect(#host_dirs.list(directory.path), "what is there"):is(0)
say "nothing"
