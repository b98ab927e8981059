scenario {
  title    = "For targets with images",
  covers   = { "VOL-PVC-001" },
  requires = { "images" },
}

step "Saying:"
say("images")
