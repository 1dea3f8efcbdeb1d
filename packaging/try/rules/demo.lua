-- The rules of the demonstration: one that refuses, one that marks.
local sp = require "sallyport"

local lottery = sp.re("(?i)you have won .* lottery")

sp.rule {
  name = "LOTTERY",
  stage = "message",
  run = function(tx)
    if lottery:test(tx.msg.subject or "") then
      return sp.reject(550, "5.7.1", "Congratulations, but no")
    end
  end,
}

sp.rule {
  name = "NEWSLETTER",
  stage = "message",
  run = function(tx)
    if tx.msg:header("List-Unsubscribe") then
      return sp.tag { header = "X-Newsletter: yes" }
    end
  end,
}
