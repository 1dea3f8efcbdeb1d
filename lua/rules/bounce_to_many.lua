-- A bounce goes back to the one sender of a mail. One for several recipients is none, whatever its null sender says.
--
-- Stage rcpt: the rule runs for each recipient that is asked for; tx.rcpts has those that were accepted before.
local sp = require "sallyport"

sp.rule {
  name = "BOUNCE_TO_MANY",
  stage = "rcpt",
  on_error = "skip",
  run = function(tx)
    if tx.from.addr == "" and #tx.rcpts >= 1 then
      return sp.tempfail(452, "4.5.3", "A bounce has one recipient")
    end
  end,
}
