local t = require "sallyport.test"

t.test("takes a bounce for one recipient", function()
  t.equal(t.run("BOUNCE_TO_MANY", t.mail { from = "" }).verdict, "none")
end)

t.test("takes ordinary mail for many", function()
  t.equal(t.run("BOUNCE_TO_MANY", t.mail { rcpt = { "a@example.com", "b@example.com" } }).verdict, "none")
end)
