scenario {
  title  = "What neither target does",
  covers = { "VOL-PVC-001" },
}

expect(1, "one"):is(2)
