scenario {
  title    = "One volume, read-only in one sandbox and read-write in another",
  covers   = { "VOL-PVC-002", "VOL-PVC-020" },
  requires = { "volumes.pvc", "commands" },
}

local pvc = require "pvc"
local shell = require "shell"

local volume = volumes.create("shared")

local writer, reader = concurrently(
  function() return pvc.sandbox(volume.name) end,
  function() return pvc.sandbox(volume.name, { readOnly = true }) end
)
expect(writer):has_mount { mountPath = "/mnt/shared", claimName = volume.name }
expect(reader):has_mount { mountPath = "/mnt/shared", claimName = volume.name, readOnly = true }

step("Writer", "Writing:")
shell.run(writer, "echo news > /mnt/shared/news.txt")
say "[Writer] Wrote /mnt/shared/news.txt"

step("Reader", "Reading, and attempting to write (should fail):")
say(shell.run(reader, "cat /mnt/shared/news.txt"))
shell.expect_read_only(reader, "echo fake >> /mnt/shared/news.txt")
say "[Reader] Write denied (expected)"

step("Writer", "Writing again:")
shell.run(writer, "echo more >> /mnt/shared/news.txt")
expect(volumes.read(volume.name, "news.txt"), "the file seen from outside"):is("news\nmore\n")
say(shell.run(reader, "cat /mnt/shared/news.txt"))
