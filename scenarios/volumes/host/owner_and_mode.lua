scenario {
  title    = "A host directory keeps its owner and mode",
  covers   = { "VOL-HOST-011" },
  requires = { "volumes.host", "commands" },
}

local host = require "host"
local shell = require "shell"

local directory = host_dirs.create("data", { files = { ["inner/file.txt"] = "x\n" } })
local above = host.sandbox(directory.path)

step "Giving a directory and a file in it a mode that is not usual:"
shell.run(above, "cd /mnt/data && chmod 1751 inner && chmod 640 inner/file.txt")
-- Where a sandbox's users have numbers of their own, there may be none to give them to.
above.commands:run("cd /mnt/data && chown 12:34 inner inner/file.txt")

-- Mode, owner and group of both.
local function look()
  return shell.run(above, "cd /mnt/data && ls -ldn inner inner/file.txt | while read m l u g _; do echo $m $u $g; done")
end

local before = look()
expect(before):matches("^drwxr%-x%-%-t.* .*\n%-rw%-r%-%-%-%-%-.* .*\n$")

step "Mounting the directory in a second sandbox, which is then deleted:"
local sandbox = host.sandbox(directory.path .. "/inner")
expect(look(), "mode, owner and group while it runs"):is(before)
host.delete(sandbox)
expect(look(), "mode, owner and group after it is deleted"):is(before)
say "-> Unchanged, while it runs and after it is deleted"
