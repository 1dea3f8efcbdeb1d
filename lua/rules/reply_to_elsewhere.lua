-- The answer would go to another domain than the mail comes from. Lists and helpdesks do that honestly; whoever waits
-- for an answer to a forged mail has to. The domain below is nobody's, and there for the tests.
--
--   lists.REPLY_TO_ELSEWHERE.entries = ["tickets.example"]   -- domains that may be answered to
local sp = require "sallyport"

local allowed = {}
for _, domain in ipairs(sp.setting("REPLY_TO_ELSEWHERE", { "desk.tickets.example" })) do allowed[domain:lower()] = true end

sp.rule {
  name = "REPLY_TO_ELSEWHERE",
  stage = "message",
  score = 2,
  on_error = "skip",
  run = function(tx)
    local from = tx.msg.from
    if not from or tx.msg:header("List-Id") then return end
    for _, reply_to in ipairs(tx.msg:addresses("Reply-To")) do
      local domain = reply_to.org_domain
      if domain ~= from.org_domain and not allowed[domain] and not allowed[reply_to.domain] then
        -- A name in the answer's address that is not the author's is worse than another domain alone.
        local is_same_name = reply_to.name == nil or reply_to.name == from.name
        return sp.hit { score = is_same_name and 2 or 3, detail = from.domain .. " is answered at " .. reply_to.domain }
      end
    end
  end,
}
