scenario { title = "Syntax error" }

step "never reached"
say(
