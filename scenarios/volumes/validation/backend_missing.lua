scenario {
  title  = "A volume without a backend",
  covers = { "VOL-COMMON-003" },
}

local refusal = require "refusal"

step "Giving a volume no backend:"
refusal.of_volume {}
say "none: 400"
for _, backend in ipairs { "pvc", "host", "ossfs" } do
  refusal.of_volume { [backend] = api.null }
  say(backend .. " null: 400")
end
refusal.of_volume { pvc = api.null, host = api.null, ossfs = api.null }
say "all null: 400"
