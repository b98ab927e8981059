scenario { title = "Missing transcript" }

say "nothing to compare with"
