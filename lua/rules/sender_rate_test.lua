local t = require "sallyport.test"

local function run(from, auth) return t.run("SENDER_RATE", t.mail { from = from, headers = { From = from }, auth = auth }).verdict end

t.test("counts a proven sender's mails, whoever brings them", function()
  for _ = 1, 100 do t.equal(run("ann@example.org", { spf = "pass" }), "none") end
  local result = t.run("SENDER_RATE", t.mail { from = "ann@example.org", auth = { spf = "pass" } })
  t.equal(result.verdict, "tempfail")
  t.equal(result.code, 451)
  t.equal(run("eve@example.org", { spf = "pass" }), "none")
end)

t.test("counts others by their address", function()
  for i = 1, 100 do t.equal(run("user" .. i .. "@example.org"), "none") end
  t.equal(run("one-more@example.org"), "tempfail")
end)
