local t = require "sallyport.test"

local function run(rcpt, auth) return t.run("NEW_SENDER_TO_FINANCE", t.mail { rcpt = rcpt, headers = { From = "ann@example.org" }, auth = auth }) end

t.test("finds the first mail of a proven sender, and no other", function()
  t.equal(run("finance@example.com", { dmarc = "pass" }).verdict, "hit")
  t.equal(run("finance@example.com", { dmarc = "pass" }).verdict, "none")
end)

t.test("knows nobody who is not proven", function()
  for _ = 1, 3 do t.equal(run("payroll@example.com").detail, "an unproven sender") end
end)

t.test("leaves mail for others alone", function()
  t.equal(run("bob@example.com", { dmarc = "pass" }).verdict, "none")
end)
