-- A stranger answers in one of our threads. Who has broken into somebody's mailbox goes on with the conversations in it,
-- from another address, and puts in a link or a file.
--
-- The thread is ours when its References name a message of a recipient's domain. A stranger is who has not answered this
-- recipient before and is not of the domain of the thread's other messages. Where there are none but ours, he may be whom
-- we have written to: that counts little. Lists have strangers in their threads.
local sp = require "sallyport"

sp.rule {
  name = "THREAD_HIJACK",
  stage = "message",
  score = 4,
  on_error = "skip",
  run = function(tx)
    local from, rcpt = tx.msg.from, tx.rcpts[1]
    if not from or not rcpt or tx.msg:header("List-Id") then return end
    local thread = ((tx.msg:header("References") or "") .. " " .. (tx.msg:header("In-Reply-To") or "")):lower():sub(-4000)
    local is_ours, is_his, has_others = false, false, false
    for domain in thread:gmatch("@([%w.-]+)>") do
      local owner = sp.address.org_domain(domain)
      is_ours = is_ours or owner == rcpt.org_domain
      is_his = is_his or owner == from.org_domain
      has_others = has_others or owner ~= rcpt.org_domain
    end
    if not is_ours or is_his or from.org_domain == rcpt.org_domain then return end
    if sp.seen("who answers whom", from.addr:lower() .. " " .. rcpt.addr:lower(), "180d") then return end
    if #tx.msg:files() == 0 and #tx.msg:urls { max = 1 } == 0 then return end
    return sp.hit { score = has_others and 4 or 1, detail = from.domain .. " answers in a thread of " .. rcpt.org_domain }
  end,
}
