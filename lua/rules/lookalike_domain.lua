-- The author's domain is not ours, but looks like it: "exarnple.com", "examp1e.com", "example-mail.com" for example.com.
--
--   lists.LOOKALIKE_DOMAIN.entries = ["example.com", "bank.example"]   -- domains beside the recipients' that are imitated
local sp = require "sallyport"

local more = sp.setting("LOOKALIKE_DOMAIN", {})

-- The part that somebody has chosen: "example" of "example.co.uk".
local function label_of(domain) return domain:match("^[^.]+") or "" end
local function looks_of(label) return (sp.text.skeleton(sp.text.fold(label)):gsub("rn", "m"):gsub("vv", "w")) end

local function imitates(domain, ours)
  local his, our = label_of(domain), label_of(ours)
  if #our < 4 or domain == ours then return false end
  if his == our or looks_of(his) == looks_of(our) then return true end
  -- One letter more, less, other or exchanged; only of names that are long enough to be none of their own.
  if #our >= 6 and sp.text.distance(his, our, 1) then return true end
  return #our >= 6 and (his:find("^" .. our:gsub("%p", "%%%0") .. "[-]") or his:find("[-]" .. our:gsub("%p", "%%%0") .. "$")) ~= nil
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
    for domain in pairs(ours) do
      if imitates(from.org_domain, domain) then return sp.hit { detail = from.org_domain .. " looks like " .. domain } end
    end
  end,
}
