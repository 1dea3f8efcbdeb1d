-- Marks mail from outside: a tag before the subject, and a header field for whatever comes behind us.
--
-- Outside is whoever does not write from a domain of the recipients. Who claims to, and fails DMARC, is outside, too.
--   lists.EXTERNAL_TAG.entries = ["partner.example"]   -- further domains that count as ours; that below is for the tests
local sp = require "sallyport"

local ours = {}
for _, domain in ipairs(sp.setting("EXTERNAL_TAG", { "mail.partner.example" })) do ours[domain:lower()] = true end

sp.rule {
  name = "EXTERNAL_TAG",
  stage = "message",
  on_error = "skip",
  run = function(tx)
    local from = tx.msg.from
    local domain = from and from.org_domain or ""
    local is_ours = ours[domain] or from and ours[from.domain] or false
    for _, rcpt in ipairs(tx.rcpts) do is_ours = is_ours or rcpt.org_domain == domain end
    if is_ours and tx.auth.dmarc ~= "fail" then return end
    return sp.tag { header = "X-External: yes", subject_prefix = "[External] " }
  end,
}
