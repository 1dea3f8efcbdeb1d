-- The author's domain is not ours, but looks like it: "exarnple.com", "examp1e.com", "example-mail.com" for example.com.
--
--   lists.LOOKALIKE_DOMAIN.entries = ["example.com", "bank.example"]   -- domains beside the recipients' that are imitated
local sp = require "sallyport"

local more = sp.setting("LOOKALIKE_DOMAIN", {})

-- The part that somebody has chosen, as people read it: "example" of "example.co.uk", and of "xn--exmple-4nf.com" an
-- "example" with a Cyrillic "a".
local function label_of(domain) return sp.address.readable(domain):match("^[^.]+") or "" end
local function looks_of(label) return (sp.text.skeleton(sp.text.fold(label)):gsub("rn", "m"):gsub("vv", "w")) end

local function imitates(his, our)
  if #our < 4 then return false end
  if his == our or looks_of(his) == looks_of(our) then return true end
  -- One letter more, less, other or exchanged, or a word more; only of names that are long enough to be none of their own.
  if #our < 6 then return false end
  return sp.text.distance(his, our, 1) ~= nil or his:sub(1, #our + 1) == our .. "-" or his:sub(-#our - 1) == "-" .. our
end

sp.rule {
  name = "LOOKALIKE_DOMAIN",
  stage = "message",
  score = 5,
  on_error = "skip",
  run = function(tx)
    local from = tx.msg.from
    if not from or from.domain == "" then return end
    local ours = {}
    for _, rcpt in ipairs(tx.rcpts) do ours[rcpt.org_domain] = true end
    for _, domain in ipairs(more) do ours[domain:lower()] = true end
    if ours[from.org_domain] then return end
    local his = label_of(from.org_domain)
    for domain in pairs(ours) do
      if imitates(his, label_of(domain)) then return sp.hit { detail = from.org_domain .. " looks like " .. domain } end
    end
  end,
}
