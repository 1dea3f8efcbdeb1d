-- Somebody writes in the name of one of our chiefs, from an address that is not his: "Ann Boss <ann.boss@mailbox.example>".
-- That is how invoices get paid that nobody owes.
--
-- The names come from the configuration; with an address behind a name, that address may use it, too. The name below is
-- nobody's, and there for the tests.
--   [policy.rules]
--   shipped = ["EXECUTIVE_NAME"]
--   lists.EXECUTIVE_NAME.entries = ["Ann Boss", "Bob Chief <bob@home.example>"]
local sp = require "sallyport"

-- What a name looks like to who reads it, whatever letters it is written in and in whatever order: "Ann Boss", "BOSS,
-- Ann" and an "Ann Boss" with a Cyrillic "A" look the same.
local function looks_of(name)
  local words = {}
  for word in sp.text.skeleton(sp.text.fold(name)):gmatch("[^%s,;.\"'()]+") do words[#words + 1] = word end
  table.sort(words)
  return table.concat(words, " ")
end

-- By its looks: the addresses that may use the name.
local names = {}
for _, entry in ipairs(sp.setting("EXECUTIVE_NAME", { "Ann Example <ann@home.example>", "Ann Example <ann@club.example>" })) do
  local known = sp.address.parse(entry)[1]
  local looks = looks_of(known and known.name or entry)
  names[looks] = names[looks] or {}  -- a name may stand there with several addresses
  if known and known.name then names[looks][known.addr:lower()] = true end
end

sp.rule {
  name = "EXECUTIVE_NAME",
  stage = "message",
  score = 6,
  on_error = "skip",
  run = function(tx)
    local from = tx.msg.from
    if not from or not from.name then return end
    local allowed = names[looks_of(from.name:sub(1, 200))]
    if not allowed then return end
    local is_proven = tx.auth.dmarc == "pass" or tx.auth.spf == "pass" and tx.from.org_domain == from.org_domain
    if allowed[from.addr:lower()] and is_proven then return end
    -- Our own domain, where nobody has forged it.
    for _, rcpt in ipairs(tx.rcpts) do
      if rcpt.org_domain == from.org_domain and tx.auth.dmarc ~= "fail" then return end
    end
    return sp.hit { detail = from.name .. " from " .. from.domain }
  end,
}
