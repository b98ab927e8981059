scenario {
  title    = "The name of the image",
  covers   = { "VOL-PVC-001" },
  requires = { "commands" },
}

local sandbox = Sandbox.create {}

step "Asking:"
say("It is called " .. sandbox:info().image.uri:match("[^:]+"))
