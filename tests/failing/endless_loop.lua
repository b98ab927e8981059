scenario { title = "Endless loop", requires = { "volumes.pvc" } }

volumes.create("loop")
step "Looping:"
while true do end
