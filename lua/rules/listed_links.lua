-- Asks a list of domains for those that the mail links to, the most suspicious ones first.
--
-- policy.url_lists does this for whole tables of lists, with scores per code; this rule shows how a rule would. All
-- questions are asked at the same time: sp.each calls its function for each domain, and waits for all.
--   lists.LISTED_LINKS.entries = ["dbl.example"]   -- the lists to ask
local sp = require "sallyport"

local zones = sp.setting("LISTED_LINKS", { "dbl.spamhaus.org" })

sp.rule {
  name = "LISTED_LINKS",
  stage = "message",
  score = 5,
  on_error = "skip",
  run = function(tx)
    local domains = tx.msg:url_domains { max = 20 }
    for _, zone in ipairs(zones) do
      local listed = sp.each(domains, function(domain) return sp.dns.listed(domain, zone) end)
      -- In the order in which they were asked for, so that the same mail always has the same detail.
      for _, domain in ipairs(domains) do
        if listed[domain] then return sp.hit { detail = domain .. " is listed as " .. listed[domain] } end
      end
    end
  end,
}
