-- OSS buckets that must be refused. Nothing is ever mounted: no endpoint is real.
local failure = require "failure"
local refusal = require "refusal"

local ossfs = {}

ossfs.secret = "secret-that-nobody-may-repeat"

-- An entry for a bucket that does not exist, with members of `ossfs` added, replaced or, where
-- `false`, left out.
function ossfs.entry(members)
  local bucket = {
    bucket = "osb-conformance",
    endpoint = "oss.invalid",
    accessKeyId = "osb-conformance-id",
    accessKeySecret = ossfs.secret,
  }
  for name, value in pairs(members or {}) do
    bucket[name] = value or nil
  end
  return { name = "bucket-data", ossfs = bucket, mountPath = "/mnt/data" }
end

-- Expects that a bucket with these members is refused with 400, and that the message names the
-- volume or what is wrong with it.
function ossfs.expect_refused(members, culprit)
  local entry = ossfs.entry(members)
  entry.name = nil
  refusal.of_volume(entry, culprit)
end

-- What becomes of a create request with this bucket, in a few words: the status and code of the
-- refusal, or how it fails later.
function ossfs.outcome(members)
  local failed, answer = failure.of { volumes = { ossfs.entry(members) } }
  if answer then
    return answer.status .. " " .. tostring(type(answer.body) == "table" and answer.body.code)
  end
  return failed and "accepted, then failed" or "it runs"
end

return ossfs
