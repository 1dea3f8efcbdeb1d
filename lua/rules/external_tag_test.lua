local t = require "sallyport.test"

local function run(from, auth)
  return t.run("EXTERNAL_TAG", t.mail { rcpt = "bob@example.com", headers = { From = from }, auth = auth })
end

t.test("marks mail from outside", function()
  local result = run("ann@example.org")
  t.equal(result.verdict, "tag")
  t.equal(result.subject_prefix, "[External] ")
  t.equal(run("ann@example.com", { dmarc = "fail" }).verdict, "tag")
end)

t.test("leaves mail of our own alone", function()
  t.equal(run("ann@example.com", { dmarc = "pass" }).verdict, "none")
  t.equal(run("ann@mail.example.com").verdict, "none")
  t.equal(run("ann@mail.partner.example").verdict, "none")
  t.equal(run("ann@partner.example").verdict, "tag")
end)
