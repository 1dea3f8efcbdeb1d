local t = require "sallyport.test"

local function run(from, auth)
  return t.run("OWN_DOMAIN_FROM_OUTSIDE", t.mail { rcpt = "bob@example.com", headers = { From = from }, auth = auth })
end

t.test("finds who writes from the recipient's own domain", function()
  t.equal(run("Boss <boss@EXAMPLE.com>").detail, "example.com")
end)

t.test("leaves others alone", function()
  t.equal(run("ann@example.org").verdict, "none")
  t.equal(run("boss@example.com", { dmarc = "pass" }).verdict, "none")
  t.equal(run("boss@example.com", { dmarc = "none" }).verdict, "hit")
end)
