-- So many mails of one sender, and no more. Later ones are refused for now; an honest sender's server tries again.
--
-- Whose mail is counted: the author's, where DMARC or SPF has proven him; else the client's address, because anybody
-- could use up a stranger's allowance by writing in his name.
--   lists.SENDER_RATE.entries = ["50/1h"]   -- the rate
local sp = require "sallyport"

local rate = sp.setting("SENDER_RATE", { "100/1h" })[1]

sp.rule {
  name = "SENDER_RATE",
  stage = "message",
  on_error = "skip",
  run = function(tx)
    local from, sender = tx.msg.from, tx.client.ip
    if tx.auth.dmarc == "pass" and from then
      sender = from.addr
    elseif tx.auth.spf == "pass" and tx.from.addr ~= "" then
      sender = tx.from.addr
    end
    if not sp.rate("mails of a sender", sender:lower(), rate) then
      return sp.tempfail(451, "4.7.1", "Too many mails from this sender, try again later")
    end
  end,
}
