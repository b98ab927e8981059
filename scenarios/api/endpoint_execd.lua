scenario {
  title    = "The endpoint of execd",
  covers   = { "ENDPT-002" },
  requires = { "endpoints", "commands" },
}

-- On a server, the sandbox is reached by the endpoint of port 44772 alone: by its GET /ping, which
-- is awaited, and by every command.
local sandbox = Sandbox.create {}

step "Asking for the endpoint of execd:"
expect(sandbox:endpoint(44772).endpoint, "endpoint"):is_not("")
say "there is one"

step "Running a command by way of it:"
say(sandbox.commands:run("echo reached").stdout)
