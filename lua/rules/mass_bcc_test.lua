local t = require "sallyport.test"

local many = {}
for i = 1, 12 do many[i] = "user" .. i .. "@example.com" end

t.test("finds mail for many who are not named", function()
  local result = t.run("MASS_BCC", t.mail { rcpt = many, headers = { To = "undisclosed-recipients:;" } })
  t.equal(result.verdict, "hit")
  t.equal(result.detail, "12 recipients")
end)

t.test("leaves lists, named recipients and few alone", function()
  t.equal(t.run("MASS_BCC", t.mail { rcpt = many, headers = { To = "x@y.example", ["List-Id"] = "<l.y.example>" } }).verdict, "none")
  t.equal(t.run("MASS_BCC", t.mail { rcpt = many, headers = { To = "x@y.example", Cc = "User3@example.com" } }).verdict, "none")
  t.equal(t.run("MASS_BCC", t.mail { rcpt = { many[1], many[2] }, headers = { To = "x@y.example" } }).verdict, "none")
end)
