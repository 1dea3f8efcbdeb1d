-- Scores subjects with the words of the oldest trades in spam, also when their letters are digits or spaced out.
--
-- Every further word adds to the score; the words that were found are the detail of the hit.
local sp = require "sallyport"

local words = {
  pharmacy = sp.re([[\b(v[i1l]agra|c[i1l]al[i1l]s|xanax|online pharmacy)\b]], "i"),
  lottery = sp.re([[\b(lottery|jackpot)\b.*\b(winner|won|claim)\b]], "i"),
  advance_fee = sp.re([[\b(next of kin|unclaimed (funds?|inheritance)|million (dollars|usd|euros?))\b]], "i"),
  account_scare = sp.re([[\b(account|mailbox|password)\b.*\b(suspended|deactivated|expires? (today|soon))\b]], "i"),
}

-- "v.i.a.g.r.a" and "v i a g r a" read as "viagra": a letter alone moves up to the next one, if that is alone too.
local function closed_up(subject)
  return (subject:gsub("%f[%w](%w)[ ._*-]()", function(letter, next_at)
    if subject:find("^%w%f[%W]", next_at) then return letter end
  end))
end

sp.rule {
  name = "SUBJECT_WORDS",
  stage = "message",
  score = 2.5,
  on_error = "skip",
  run = function(tx)
    local subject = tx.msg.subject
    if not subject then return end
    subject = subject:sub(1, 1000)
    local plain, found = closed_up(subject), {}
    for name, re in pairs(words) do
      if re:test(subject) or re:test(plain) then found[#found + 1] = name end
    end
    if #found == 0 then return end
    table.sort(found)
    return sp.hit { score = 2.5 * #found, detail = table.concat(found, ",") }
  end,
}
