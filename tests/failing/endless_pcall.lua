scenario { title = "Endless loop that catches errors" }

step "Looping:"
while true do pcall(error) end
