scenario { title = "A command that does not return" }

local sandbox = Sandbox.create {}
step "Waiting:"
sandbox.commands:run("sleep 1000")
