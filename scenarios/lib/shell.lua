-- Commands that must succeed.
local shell = {}

-- Runs a command, expects that it succeeds, and answers what it printed.
function shell.run(sandbox, command, options)
  local result = sandbox.commands:run(command, options)
  expect(result.timed_out, "`" .. command .. "` ran out of time"):is(false)
  expect(result.exit_code, "the exit code of `" .. command .. "`, which said " .. result.stderr):is(0)
  return result.stdout
end

-- Expects that a command which writes is turned down by a read-only file system.
function shell.expect_read_only(sandbox, command)
  local result = sandbox.commands:run(command)
  expect(result.exit_code, "the exit code of `" .. command .. "`"):is_not(0)
  expect(result.stderr:lower(), "what `" .. command .. "` said"):contains("read-only")
end

return shell
