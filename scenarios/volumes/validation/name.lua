scenario {
  title    = "A volume's name: what it consists of",
  covers   = { "VOL-COMMON-004" },
  requires = { "volumes.pvc" },
}

local refusal = require "refusal"

local wrong = {
  "", "Bad", "BAD", "a_b", "a.b", "-a", "a-", "-", "a b", " a", "a ", "a\n", "a/b", "../a", "a:b", "a,b", "ä",
}

step "Naming a volume like this:"
local claim = volumes.name("never-made")
for _, name in ipairs(wrong) do
  local printable = name:gsub("%s+$", "")
  refusal.of_volume({ name = name, pvc = refusal.pvc(claim) }, printable)
  say(refusal.show(name) .. ": 400")
end
expect(volumes.exists(claim), "the volume"):is(false)
say "No volume was made"
