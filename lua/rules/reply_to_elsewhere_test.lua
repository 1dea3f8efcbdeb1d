local t = require "sallyport.test"

local function run(headers) return t.run("REPLY_TO_ELSEWHERE", t.mail { headers = headers }) end

t.test("finds answers that go elsewhere", function()
  t.equal(run({ From = "Ann <ann@example.org>", ["Reply-To"] = "ann@mailbox.example" }).score, 2)
  t.equal(run({ From = "Ann <ann@example.org>", ["Reply-To"] = "Eve <eve@mailbox.example>" }).score, 3)
end)

t.test("leaves the author's own domain and lists alone", function()
  t.equal(run({ From = "ann@example.org", ["Reply-To"] = "ann@mail.example.org" }).verdict, "none")
  t.equal(run({ From = "ann@example.org", ["Reply-To"] = "l@lists.example", ["List-Id"] = "<l.lists.example>" }).verdict, "none")
  t.equal(run({ From = "ann@example.org" }).verdict, "none")
  t.equal(run({ From = "ann@example.org", ["Reply-To"] = "17@Desk.Tickets.example" }).verdict, "none")
  t.equal(run({ From = "ann@example.org", ["Reply-To"] = "17@tickets.example" }).verdict, "hit")
end)
