scenario { title = "A pattern that cannot be interrupted" }

step "Matching:"
say(tostring(string.find(string.rep("a", 40), string.rep("a-", 40) .. "b")))
