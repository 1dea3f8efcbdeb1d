local t = require "sallyport.test"

local function run(auth, seals) return t.run("ARC_FORWARDER", t.mail { auth = auth, headers = { ["ARC-Seal"] = seals } }) end
local seal = "i=1; a=rsa-sha256; t=12345; cv=none; d=forwarder.example; s=s1; b=abc"
local later = "i=2; a=rsa-sha256; t=12345; cv=pass; d=stranger.example; s=s1; b=abc"

t.test("makes DMARC's verdict milder for a forwarder that we know", function()
  local result = run({ dmarc = "fail", arc = "pass" }, seal)
  t.equal(result.verdict, "override")
  t.equal(result.check, "dmarc")
  t.equal(result.to, "tag")
end)

t.test("believes nobody else", function()
  t.equal(run({ dmarc = "fail", arc = "fail" }, seal).verdict, "none")
  t.equal(run({ dmarc = "pass", arc = "pass" }, seal).verdict, "none")
  t.equal(run({ dmarc = "fail", arc = "pass" }, { later, seal }).verdict, "none")
  t.equal(run({ dmarc = "fail", arc = "pass" }).verdict, "none")
end)
