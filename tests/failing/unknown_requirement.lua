scenario {
  title  = "Unknown requirement",
  covers = { "VOL-PCV-001" },
}
