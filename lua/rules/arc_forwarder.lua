-- A forwarder that we know has changed a mail on its way, so that DMARC fails; it says by ARC that all was well when it
-- came in. Such mail is marked instead of refused.
--
-- An ARC chain that verifies says who has sealed it, not that he is honest. So the sealers are named;
-- the one below is there for the tests.
--   lists.ARC_FORWARDER.entries = ["lists.example", "alumni.example"]
local sp = require "sallyport"

local forwarders = {}
for _, domain in ipairs(sp.setting("ARC_FORWARDER", { "forwarder.example" })) do forwarders[domain:lower()] = true end

-- The domain that has sealed last: that of the highest instance.
local function last_sealer(msg)
  local last, sealer = 0, nil
  for _, seal in ipairs(msg:headers("ARC-Seal")) do
    local instance = tonumber(seal:match("%f[%w]i%s*=%s*(%d+)"))
    local domain = seal:match("%f[%w]d%s*=%s*([%w.-]+)")
    if instance and domain and instance > last then last, sealer = instance, domain:lower() end
  end
  return sealer
end

sp.rule {
  name = "ARC_FORWARDER",
  stage = "message",
  on_error = "skip",
  run = function(tx)
    if tx.auth.dmarc ~= "fail" or tx.auth.arc ~= "pass" then return end
    local sealer = last_sealer(tx.msg)
    if sealer and forwarders[sealer] then
      return sp.override { check = "dmarc", to = "tag", reason = "forwarded by " .. sealer }
    end
  end,
}
