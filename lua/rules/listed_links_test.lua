local t = require "sallyport.test"

t.test("finds a listed domain", function()
  t.dns { ["evil.com.dbl.spamhaus.org"] = { A = "127.0.1.2" } }
  local result = t.run("LISTED_LINKS", t.mail { body = "see https://www.evil.com/x and https://www.good.com/" })
  t.equal(result.verdict, "hit")
  t.equal(result.score, 5)
  t.equal(result.detail, "evil.com is listed as 127.0.1.2")
end)

t.test("says nothing where nobody knows", function()
  t.dns { ["evil.com.dbl.spamhaus.org"] = "servfail" }
  t.equal(t.run("LISTED_LINKS", t.mail { body = "see https://www.evil.com/x" }).verdict, "none")
  t.equal(t.run("LISTED_LINKS", t.mail { body = "no links" }).verdict, "none")
end)
