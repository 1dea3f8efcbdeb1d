-- Marks mail that came in without TLS, or from a client that gave an address instead of a name in its greeting, so that
-- filters behind us can weigh it. It changes nothing else.
local sp = require "sallyport"

sp.rule {
  name = "PLAIN_CONNECTION",
  stage = "message",
  on_error = "skip",
  run = function(tx)
    local client, found = tx.client, {}
    if not client.tls then found[#found + 1] = "no-tls" end
    if client.helo and client.helo:find("^%[?[%d.]+%]?$") then found[#found + 1] = "address-helo" end
    if #found == 0 then return end
    return sp.tag { header = { name = "X-Connection", value = table.concat(found, ", ") } }
  end,
}
