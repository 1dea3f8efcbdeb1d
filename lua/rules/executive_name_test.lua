local t = require "sallyport.test"

local function run(from, auth, sender)
  return t.run("EXECUTIVE_NAME", t.mail { from = sender, headers = { From = from }, auth = auth })
end

t.test("finds the name from elsewhere, however it is written", function()
  for _, from in ipairs { "Ann Example <x@mailbox.example>", '"EXAMPLE, Ann" <x@mailbox.example>',
    "=?utf-8?q?=D0=90nn_Example?= <x@mailbox.example>" } do
    local result = run(from)
    t.equal(result.verdict, "hit", from)
    t.equal(result.score, 6)
  end
end)

t.test("knows whose name it is", function()
  t.equal(run("Ann Example <ann@home.example>", { dmarc = "pass" }).verdict, "none")
  t.equal(run("Ann Example <ann@home.example>", { dmarc = "fail" }).verdict, "hit")
  t.equal(run("Ann Example <Ann@Club.example>", { dmarc = "pass" }).verdict, "none")
  -- A domain without DMARC; SPF proves it where the sender is of the same domain.
  t.equal(run("Ann Example <ann@home.example>", { spf = "pass", dmarc = "none" }, "x@mail.home.example").verdict, "none")
  t.equal(run("Ann Example <ann@home.example>", { spf = "pass", dmarc = "none" }, "x@mailbox.example").verdict, "hit")
  t.equal(run("Ann Example <ann@home.example>", { spf = "none", dmarc = "none" }, "x@home.example").verdict, "hit")
  -- bob@example.com is the recipient, so example.com is ours.
  t.equal(run("Ann Example <ann@example.com>").verdict, "none")
  t.equal(run("Ann Example <ann@example.com>", { dmarc = "fail" }).verdict, "hit")
end)

t.test("leaves others alone", function()
  t.equal(run("Ann Sample <x@mailbox.example>").verdict, "none")
  t.equal(run("ann@mailbox.example").verdict, "none")
end)
