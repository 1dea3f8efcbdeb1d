-- A mail for many of us at once, none of whom stands in its To or Cc.
--
--   lists.MASS_BCC.entries = ["10"]   -- for how many
local sp = require "sallyport"

local many = tonumber(sp.setting("MASS_BCC", { "10" })[1]) or 10

sp.rule {
  name = "MASS_BCC",
  stage = "message",
  score = 3,
  on_error = "skip",
  run = function(tx)
    -- Lists do the same, and say so.
    if #tx.rcpts < many or tx.msg:header("List-Id") then return end
    local named = {}
    for _, field in ipairs { "To", "Cc" } do
      for _, address in ipairs(tx.msg:addresses(field)) do named[address.addr:lower()] = true end
    end
    for _, rcpt in ipairs(tx.rcpts) do
      if named[rcpt.addr:lower()] then return end
    end
    return sp.hit { detail = #tx.rcpts .. " recipients" }
  end,
}
