local t = require "sallyport.test"

local function run(domain)
  return t.run("LOOKALIKE_DOMAIN", t.mail { rcpt = "bob@exemplary.com", headers = { From = "ann@" .. domain } })
end

t.test("finds domains that look like ours", function()
  for _, domain in ipairs { "exernplary.com", "exemp1ary.com", "exemplarry.com", "exempalry.com", "exemplary.net",
    "exemplary-mail.com", "mail.exemplay.com", "xn--exemplry-66g.com" } do
    t.equal(run(domain).verdict, "hit", domain)
  end
end)

t.test("leaves ours and others alone", function()
  for _, domain in ipairs { "exemplary.com", "mail.exemplary.com", "example.org", "exemption.com", "unexemplary.com" } do
    t.equal(run(domain).verdict, "none", domain)
  end
end)
