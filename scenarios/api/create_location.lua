scenario {
  title  = "The location of a new sandbox",
  covers = { "CREATE-003" },
}

local lifecycle = require "lifecycle"

step "Making a sandbox:"
local answer = lifecycle.create()
local location = answer.headers["location"]
expect(location, "the header Location"):is_not_nil()
expect(location:sub(-#answer.body.id - 1), "the end of Location " .. location):is("/" .. answer.body.id)
say "202, with a Location that ends with its id"
