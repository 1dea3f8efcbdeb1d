-- Somebody who has never written before writes to those who pay bills. That is no harm in itself; together with
-- anything else it is.
--
-- sp.seen remembers whom it has seen, per tenant, over restarts. Only proven senders are remembered as known, or a
-- forger would make his own name known by trying twice.
--   lists.NEW_SENDER_TO_FINANCE.entries = ["finance@ours.example", "payroll"]   -- addresses, or what stands before "@"
local sp = require "sallyport"

local finance = {}
for _, who in ipairs(sp.setting("NEW_SENDER_TO_FINANCE", { "finance", "accounting", "accounts", "invoices", "payroll" })) do
  finance[who:lower()] = true
end

sp.rule {
  name = "NEW_SENDER_TO_FINANCE",
  stage = "message",
  score = 2,
  on_error = "skip",
  run = function(tx)
    local from, is_for_finance = tx.msg.from, false
    for _, rcpt in ipairs(tx.rcpts) do
      is_for_finance = is_for_finance or finance[rcpt.addr:lower()] or finance[rcpt.user:lower()]
    end
    if not from or not is_for_finance then return end
    local is_proven = tx.auth.dmarc == "pass" or tx.auth.spf == "pass" and tx.from.org_domain == from.org_domain
    if is_proven and sp.seen("senders to finance", from.addr:lower(), "180d") then return end
    return sp.hit { detail = is_proven and "the first mail of this sender" or "an unproven sender" }
  end,
}
