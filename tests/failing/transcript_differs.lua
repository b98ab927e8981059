scenario { title = "Transcript differs", covers = { "VOL-PVC-001" }, requires = { "volumes.pvc" } }

local volume = volumes.create("differs")
step "Saying:"
say("hello from " .. volume.name)
say "new"
