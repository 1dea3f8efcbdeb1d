local t = require "sallyport.test"

-- An answer to a message of example.com, where bob is.
local function answer(from, body, references, list)
  return t.run("THREAD_HIJACK", t.mail { rcpt = "bob@example.com", body = body,
    headers = { From = from, Subject = "Re: x", References = references or "<1@example.com>", ["List-Id"] = list } })
end
local function run(...) return answer(...).verdict end

t.test("finds strangers who answer in our threads with a link", function()
  t.equal(answer("eve@mailbox.example", "see https://www.evil.com/", "<1@example.com> <2@example.org>").score, 4)
end)

t.test("does not take whom we have written to for one", function()
  t.equal(answer("dan@elsewhere.example", "see https://www.good.com/").score, 1)
end)

t.test("leaves lists alone", function()
  t.equal(run("eve@mailbox.example", "see https://www.good.com/", "<1@example.com> <2@example.org>", "<l.lists.example>"), "none")
end)

t.test("leaves partners of the thread alone", function()
  t.equal(run("ann@example.org", "see https://www.good.com/", "<1@example.com> <2@mail.example.org>"), "none")
end)

t.test("leaves known correspondents, our own and plain answers alone", function()
  t.equal(run("ann@example.org", "hello"), "none")
  t.equal(run("ann@example.org", "see https://www.good.com/"), "none")
  t.equal(run("carl@example.com", "see https://www.good.com/"), "none")
  t.equal(run("eve@mailbox.example", "see https://www.evil.com/", "<1@elsewhere.example>"), "none")
end)
