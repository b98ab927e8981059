scenario {
  title  = "OSS bucket: a blank name or endpoint",
  covers = { "VOL-OSSFS-003" },
}

local ossfs = require "ossfs"

step "Asking for an OSS bucket with a name of blanks:"
ossfs.expect_refused({ bucket = "   " }, "bucket")
say "refused"

step "Asking for an OSS bucket with an endpoint of blanks:"
ossfs.expect_refused({ endpoint = " " }, "endpoint")
ossfs.expect_refused({ endpoint = "\t\n" }, "endpoint")
say "refused"
