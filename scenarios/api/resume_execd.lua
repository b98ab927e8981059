scenario {
  title    = "A command in a sandbox that was resumed",
  covers   = { "PAUSE-002" },
  requires = { "pause", "commands" },
}

local sandbox = Sandbox.create {}

step "Pausing and resuming it:"
sandbox:pause()
sandbox:resume()
say "it runs again"

step "Running a command:"
local result = sandbox.commands:run("echo awake")
expect(result.exit_code):is(0)
say(result.stdout)
