scenario {
  title  = "OSS bucket: the secret in a refusal",
  covers = { "VOL-OSSFS-007" },
}

local rest = require "rest"
local ossfs = require "ossfs"

-- Expects that a request with this entry is refused, however, without repeating the secret.
local function expect_kept(what, entry)
  local answer = rest.create { volumes = { entry } }
  expect(answer.status, what .. ": the status"):is_at_least(400)
  expect(answer.text, what .. ": the answer"):does_not_contain(ossfs.secret)
  say(what .. ": the secret is not repeated")
end

step "Asking for an OSS bucket with a good secret and something wrong beside it:"
expect_kept("no bucket", ossfs.entry { bucket = false })
expect_kept("bad version", ossfs.entry { version = "3.0" })
expect_kept("bad option", ossfs.entry { options = { "-o x" } })
expect_kept("unknown member", ossfs.entry { path = "/" })
local relative = ossfs.entry()
relative.mountPath = "mnt/data"
expect_kept("bad mountPath", relative)
local two = ossfs.entry()
two.pvc = { claimName = volumes.name("other"), createIfNotExists = false }
expect_kept("two backends", two)

step "Asking for an OSS bucket with a secret that is no string:"
expect_kept("a list", ossfs.entry { accessKeySecret = { ossfs.secret } })
expect_kept("an object", ossfs.entry { accessKeySecret = { value = ossfs.secret } })
