-- A stranger who claims, in the From field, to write from the very domain that he writes to.
--
-- Real mail of one's own domain from outside comes from lists that we write to and from services that were told to send
-- it. Where DMARC proves it, it is real; else list the domains of their envelope senders below. Starts in shadow mode:
-- what the rule would do is recorded, and nothing is changed.
local sp = require "sallyport"

local allowed_senders = {
  -- ["newsletter.example.net"] = true,   -- the domain of the envelope sender
}

sp.rule {
  name = "OWN_DOMAIN_FROM_OUTSIDE",
  stage = "message",
  score = 4,
  mode = "shadow",
  on_error = "skip",
  run = function(tx)
    local author = tx.msg.from
    if not author or author.domain == "" or tx.auth.dmarc == "pass" then return end
    if tx.from and allowed_senders[tx.from.domain] then return end
    for _, rcpt in ipairs(tx.rcpts) do
      if rcpt.domain == author.domain then return sp.hit { detail = author.domain } end
    end
  end,
}
