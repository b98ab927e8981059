scenario {
  title  = "Volumes that are null",
  covers = { "VOL-COMMON-001" },
}

local rest = require "rest"

step "Creating a sandbox with volumes null:"
local answer = rest.create { volumes = api.null }
if answer.status == 202 then
  eventually(function()
    local sandbox = rest.get("/sandboxes/" .. answer.body.id)
    return sandbox.status == 200 and sandbox.body.status.state == "Running"
  end, { timeout = 30 })
else
  rest.expect_refused(answer, 400)
end
say "It runs, or is refused with 400"
