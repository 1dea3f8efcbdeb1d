local t = require "sallyport.test"

local function run(client) return t.run("PLAIN_CONNECTION", t.mail { client = client }) end

t.test("marks connections without TLS or without a name", function()
  t.equal(run({ helo = "mail.example.org", tls = false }).verdict, "tag")
  t.equal(run({ helo = "[192.0.2.7]", tls = true }).verdict, "tag")
end)

t.test("leaves others alone", function()
  t.equal(run({ helo = "mail.example.org", tls = true }).verdict, "none")
end)
