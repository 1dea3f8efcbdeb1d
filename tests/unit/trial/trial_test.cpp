// Tests of rules: what the test library gives, that tests do not see each other, what failures say, and that a test
// reaches nothing outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lua/engine/rule_set.h"
#include "lua/trial/run_tests.h"

namespace sallyport::lua {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Trial : public testing::Test {
 protected:
  Trial() {
    std::string pattern = testing::TempDir() + "sallyport-trial-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    settings.path = pattern;
  }
  ~Trial() override {
    std::error_code ignored;
    std::filesystem::remove_all(settings.path, ignored);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(settings.path + "/" + name, std::ios::binary) << text;
  }
  // A rule whose function is `body`.
  void rule(const std::string& name, const std::string& body, const std::string& stage = "message") {
    write(name + ".lua", "local sp = require 'sallyport'\nsp.rule { name = '" + name + "', stage = '" + stage +
                             "', score = 3, run = function(tx)\n" + body + "\nend }\n");
  }
  TestReport run(const std::string& only = {}) {
    auto report = run_tests(settings, {}, only);
    EXPECT_TRUE(report) << report.error().front().message;
    return report ? std::move(*report) : TestReport();
  }
  // Runs the lines as one file of tests.
  TestReport run_lines(const std::string& lines) {
    write("a_test.lua", "local t = require 'sallyport.test'\n" + lines);
    return run();
  }
  // What is wrong with them; empty: nothing.
  std::string failures_of(const std::string& lines) {
    std::string all;
    for (const TestResult& result : run_lines(lines).results) {
      for (const TestFailure& failure : result.failures) all += failure.to_string() + "\n";
    }
    return all;
  }

  RuleSettings settings;
};

TEST_F(Trial, ARuleSeesTheMailThatTheTestHasMade) {
  rule("all", R"(
    local tls = tx.client.tls
    return sp.hit { detail = table.concat({ tx.from.addr, #tx.rcpts, tx.rcpts[2].addr, tx.client.ip, tx.client.helo,
      tx.client.rdns, tostring(tx.client.fcrdns), tls.version, tls.subject, tx.auth.spf, tostring(tx.auth.dkim),
      tx.msg.subject, tx.msg:header("X-A"), #tx.msg:headers("Received"), tx.now, tx.tenant, tx.id }, " ") })");
  EXPECT_EQ(failures_of(R"(
    t.now(1700000000)
    local result = t.run("all", t.mail { from = "Eve@Evil.example", rcpt = { "a@b.example", "c@d.example" },
      client = { ip = "2001:db8::1", helo = "h.example", rdns = "r.example", tls = { subject = "CN=x" } },
      auth = { spf = "fail" }, headers = { Subject = "=?utf-8?q?Hello=20you?=", ["X-A"] = "1",
      Received = { "from a", "from b" } }, body = "text\n", tenant = "acme", id = "X1" })
    t.equal(result.verdict, "hit")
    t.equal(result.score, 3)
    t.equal(result.detail, "Eve@evil.example 2 c@d.example 2001:db8::1 h.example r.example true TLSv1.3 CN=x fail nil Hello you 1 2 1700000000 acme X1"))"),
            "");
}

TEST_F(Trial, EveryVerdictComesBack) {
  rule("r", R"(
    local what = tx.msg.subject
    if what == "reject" then return sp.reject(554, "5.7.9", "never") end
    if what == "tag" then return sp.tag { header = "X-A: 1", subject_prefix = "[x] " } end
    if what == "accept" then return sp.accept { skip = { "dnsbl" } } end
    if what == "error" then error("what is wrong") end
    if what == "quote" then error("no such list: " .. tx.msg.subject) end
    if what == "loop" then while true do end end
    if what == "change" then
      tx.msg:remove_header("X-Old", 2)
      tx.msg:replace_header("X-B", "b")
    end
    if what == "redirect" then return sp.redirect { upstream = "archive" } end
    if what == "override" then return sp.override { check = "dmarc", to = "relay", reason = "a list" } end
    if what == "quarantine" then return sp.quarantine { reason = "odd" } end
    return what == "true")");
  EXPECT_EQ(failures_of(R"(
    local function run(subject) return t.run("r", t.mail { headers = { Subject = subject } }) end
    t.equal(run("nothing"), { verdict = "none", score = 0, asked = {}, requests = {}, log = {} })
    t.equal(run("true").verdict, "hit")
    local refused = run("reject")
    t.equal({ refused.verdict, refused.code, refused.dsn, refused.text }, { "reject", 554, "5.7.9", "never" })
    local tagged = run("tag")
    t.equal({ tagged.verdict, tagged.headers, tagged.subject_prefix }, { "tag", { ["X-A"] = "1" }, "[x] " })
    t.equal(run("accept").skip, { "dnsbl" })
    local changed = run("change")
    t.equal({ changed.verdict, changed.edits }, { "change", { { name = "X-Old", n = 2 }, { name = "X-B", value = "b" } } })
    local moved = run("redirect")
    t.equal({ moved.verdict, moved.upstream }, { "redirect", "archive" })
    local milder = run("override")
    t.equal({ milder.verdict, milder.check, milder.to, milder.text }, { "override", "dmarc", "relay", "a list" })
    t.equal({ run("quarantine").verdict, run("quarantine").text }, { "quarantine", "odd" })
    local failed = run("error")
    t.equal({ failed.verdict, failed.kind, failed.file, failed.line, failed.error },
            { "error", "rule_error", "r.lua", 8, "what is wrong" })
    t.equal(run("quote").error, "no such list: quote")
    t.equal(run("loop").kind, "rule_timeout"))"),
            "");
}

TEST_F(Trial, EveryStageHasWhatItHasInTheGateway) {
  rule("connect", "return tx.from == nil and tx.client.helo == nil and tx.msg == nil and #tx.rcpts == 0", "connect");
  rule("mail", "return tx.from.addr == 'ann@example.org' and tx.client.helo ~= nil and tx.msg == nil", "mail");
  rule("rcpt", "return tx.rcpt.addr == 'bob@example.com' and tx.msg == nil", "rcpt");
  rule("headers", "return tx.rcpt.addr == tx.rcpts[1].addr and tx.rcpts[1].addr == 'bob@example.com' and tx.msg ~= nil",
       "headers");
  EXPECT_EQ(failures_of("for _, rule in ipairs { 'connect', 'mail', 'rcpt', 'headers' } do\n"
                        "t.equal(t.run(rule, t.mail {}).verdict, 'hit', rule) end"),
            "");
}

TEST_F(Trial, TheDnsIsTheTables) {
  rule("r", R"(
    local function text(v) if type(v) == "table" then
      local parts = {} for i, one in ipairs(v) do parts[i] = type(one) == "table" and one.host or one end
      return table.concat(parts, ",") end return tostring(v) end
    local parts = {}
    for _, name in ipairs { "a.example", "broken.example", "slow.example", "empty.example", "none.example" } do
      local value, err = sp.dns.a(name)
      parts[#parts + 1] = text(value) .. "/" .. tostring(err)
    end
    local both = sp.all { mx = function() return sp.dns.mx("a.example") end, txt = function() return sp.dns.txt("a.example") end }
    parts[#parts + 1] = text(both.mx) .. " " .. text(both.txt)
    return sp.hit { detail = table.concat(parts, " ") })");
  EXPECT_EQ(failures_of(R"(
    t.dns { ["A.example."] = { A = { "192.0.2.1", "192.0.2.2" }, TXT = "v=spf1", MX = { { 20, "b.example" }, { 10, "c.example" } } },
            ["broken.example"] = "servfail", ["slow.example"] = { A = "timeout" }, ["empty.example"] = { TXT = "x" } }
    local result = t.run("r", t.mail {})
    t.equal(result.detail, "192.0.2.1,192.0.2.2/nil nil/servfail nil/timeout nil/nil nil/nil c.example,b.example v=spf1")
    t.equal(#result.asked, 7)
    t.equal(result.asked[1], "A a.example"))"),
            "");
  EXPECT_EQ(failures_of(R"(
    t.dns { ["one.example"] = { MX = { 10, "mx.one.example" } } }
    t.check(not pcall(t.dns, { ["two.example"] = { MX = "10 mx.two.example" } })))"),
            "");
}

TEST_F(Trial, NothingOfATestIsSeenByTheNext) {
  rule("r", "return sp.dns.a('a.example') ~= nil or tx.now ~= 1790000000 or seen");
  EXPECT_EQ(failures_of("for i = 1, 3 do t.test('n' .. i, function()\n"
                        "  t.equal(t.run('r', t.mail {}).verdict, 'none')\n"
                        "  t.equal(t.now(), 1790000000)\n"
                        "  t.dns { ['a.example'] = { A = '192.0.2.1' } } t.now(1)\n"
                        "  t.equal(t.run('r', t.mail {}).verdict, 'hit') end) end\n"
                        "t.equal(t.run('r', t.mail {}).verdict, 'none')"),
            "");
}

TEST_F(Trial, MailsFromFilesAndModules) {
  rule("r", "local m = require 'helper' return tx.msg.subject == m.word");
  write("r.lua",
        "local sp = require 'sallyport' local m = require 'helper'\n"
        "sp.rule { name = 'r', stage = 'message', run = function(tx) return tx.msg.subject == m.word end }\n");
  write("helper.lua", "return { word = 'stored' }");
  write("one.eml", "From someone\nSubject: stored\n\nbody\n");
  EXPECT_EQ(failures_of("t.equal(t.run('r', t.mail { eml = 'one.eml' }).verdict, 'hit')\n"
                        "t.equal(require('helper').word, 'stored')"),
            "");
}

TEST_F(Trial, FailuresSayWhereAndWhat) {
  rule("RULE", "return true");
  const TestReport report = run_lines(
      "t.test('good', function() t.check(true) end)\n"
      "t.test('bad', function()\n"
      "  t.check(1 == 2, 'numbers differ')\n"
      "end)\n"
      "t.test('unequal', function()\n"
      "  t.equal({ 1, { 2 } }, { 1, { 3 } }, 'the list')\n"
      "end)\n"
      "t.test('caught', function() pcall(t.equal, 'a', 'b')\n end)\n"
      "t.test('broken', function()\n  local x = nil\n  x.y = 1\nend)\n"
      "t.test('no rule', function() t.run('RULES', t.mail {}) end)\n"
      "t.test('no field', function() t.mail { form = 'x' } end)\n"
      "t.test('last', function() t.equal(1, 1.0) end)\n");
  ASSERT_THAT(report.results, SizeIs(8));
  std::vector<std::string> failures;
  for (const TestResult& result : report.results) {
    EXPECT_LE(result.failures.size(), 1u);
    failures.push_back(result.passed() ? "" : result.failures[0].to_string());
  }
  EXPECT_THAT(
      failures,
      ElementsAre("", "a_test.lua:4: numbers differ", "a_test.lua:7: the list: expected { 1, { 3 } }, got { 1, { 2 } }",
                  HasSubstr("expected \"b\", got \"a\""), "a_test.lua:13: attempt to index a nil value (local 'x')",
                  "a_test.lua:15: there is no rule 'RULES'; did you mean 'RULE'?",
                  HasSubstr("a_test.lua:16: bad argument #1 to 'mail' (unknown field 'form'; did you mean 'from'?)"),
                  ""));
  EXPECT_EQ(report.failed(), 6u);
  EXPECT_THAT(to_text(report), HasSubstr("FAIL  a_test.lua  bad\n      a_test.lua:4: numbers differ\n"));
  EXPECT_THAT(to_text(report), HasSubstr("8 tests, 6 failed\n"));
}

TEST_F(Trial, WhatIsWrongWithAFileIsAFailure) {
  rule("r", "");
  EXPECT_THAT(failures_of("if then"), HasSubstr("a_test.lua:2: unexpected symbol"));
  EXPECT_EQ(failures_of("\nerror('no')"), "a_test.lua:3: no\n");
  EXPECT_EQ(failures_of("error({})"), "a_test.lua: an error that is not a text\n");
  EXPECT_THAT(failures_of("require 'nothing'"), HasSubstr("nothing.lua: cannot be read"));
  EXPECT_THAT(failures_of("t.test('x', function() while true do end end)"),
              HasSubstr("the tests take longer than 5 s"));
  EXPECT_THAT(failures_of("t.test('x', function() local x = {} for i = 1, 1e9 do x[i] = ('x'):rep(1e6 + i) end end)"),
              HasSubstr("the tests take more than 256 MiB"));
}

// What the meter of the Lua state does not see is bounded all the same: a load must not cost the gateway its memory.
TEST_F(Trial, MailsAndCaughtFailuresAreBounded) {
  rule("r", "return #tx.msg.subject == 3");
  EXPECT_THAT(failures_of("local all = {} for i = 1, 100 do all[i] = t.mail { body = ('x'):rep(1000000) } end"),
              HasSubstr("more than 64 MiB"));
  EXPECT_EQ(failures_of("local body = ('x'):rep(1000000) for i = 1, 300 do t.mail { body = body } end"), "")
      << "those that are not in use are gone";
  const TestReport report = run_lines("for i = 1, 1000 do pcall(t.check, false) end");
  ASSERT_THAT(report.results, SizeIs(1));
  EXPECT_THAT(report.results[0].failures, SizeIs(100));
}

TEST_F(Trial, ATestReachesNothingOutside) {
  rule("r", "");
  for (const std::string name : {"io", "debug", "package", "load", "loadfile", "dofile", "collectgarbage", "os.execute",
                                 "os.remove", "os.getenv", "os.exit", "print", "string.dump"}) {
    EXPECT_EQ(failures_of("t.check(" + name + " == nil)"), "") << name;
  }
  EXPECT_THAT(failures_of("t.mail { eml = '/etc/passwd' }"), HasSubstr("expected the name of a file in the directory"));
  EXPECT_THAT(failures_of("t.mail { eml = '../x.eml' }"), HasSubstr("expected the name of a file in the directory"));
  EXPECT_THAT(failures_of("require '../x'"), HasSubstr("no such module"));
}

TEST_F(Trial, TestFilesAreNoRules) {
  rule("r", "");
  write("bad_test.lua", "this is not Lua");
  EXPECT_TRUE(RuleSet::load(settings));
  EXPECT_THAT(find_tests(settings.path), ElementsAre("bad_test.lua"));
}

TEST_F(Trial, OneFileAlone) {
  rule("r", "");
  write("a_test.lua", "local t = require 'sallyport.test' t.test('a', function() end)");
  write("b_test.lua", "local t = require 'sallyport.test' t.test('b', function() end)");
  EXPECT_THAT(run().results, SizeIs(2));
  ASSERT_THAT(run("b_test.lua").results, SizeIs(1));
  EXPECT_EQ(run("b_test.lua").results[0].name, "b");
}

TEST(TrialReport, JunitIsWellFormed) {
  TestReport report;
  report.results.push_back({"a_test.lua", "fine", 1, 1, std::chrono::milliseconds(1500), {}});
  report.results.push_back({"a_test.lua", "<&\">\x01", 2, 1, {}, {{"a_test.lua", 3, "a < b & c"}}});
  const std::string xml = to_junit(report);
  EXPECT_THAT(xml, HasSubstr("tests=\"2\" failures=\"1\""));
  EXPECT_THAT(xml, HasSubstr("classname=\"a_test\" name=\"fine\" file=\"a_test.lua\" line=\"1\" time=\"1.500\"/>"));
  EXPECT_THAT(xml, HasSubstr("name=\"&lt;&amp;&quot;&gt; \""));
  EXPECT_THAT(xml, HasSubstr("<failure message=\"a &lt; b &amp; c\">a_test.lua:3: a &lt; b &amp; c</failure>"));
}

TEST_F(Trial, AMailHasPartsAndUrls) {
  rule("R",
       "local f = tx.msg:files()[1] "
       "return sp.hit { detail = f.name .. ' ' .. f.ext .. ' ' .. tx.msg:url_domains()[1] .. ' ' .. "
       "tx.msg.from.org_domain }");
  EXPECT_EQ(
      failures_of("t.test('x', function() t.equal(t.run('R', t.mail { body = 'see www.shop.example.com', headers = { "
                  "From = 'ann@mail.example.co.uk', ['Content-Type'] = 'text/plain; name=a.exe' } }).detail, "
                  "'a.exe exe example.com example.co.uk') end)"),
      "");
}

TEST_F(Trial, TheWebIsWhatTheTestSays) {
  settings.http = {"web.example"};
  rule("WEB",
       "local a, err = sp.http.post('https://web.example:443/x', 'q')\n"
       "return sp.hit { detail = a and a.status .. a.body .. a.headers['x-a'] or err }");
  rule("ELSEWHERE", "local a, err = sp.http.get('https://elsewhere.example/') return sp.hit { detail = err }");
  EXPECT_EQ(failures_of("t.test('answer', function()\n"
                        "  t.http { ['https://web.example/x'] = { body = 'b', headers = { ['X-A'] = 'v' } },\n"
                        "           ['https://elsewhere.example/'] = {} }\n"
                        "  local result = t.run('WEB', t.mail {})\n"
                        "  t.equal(result.detail, '200bv')\n"
                        "  t.equal(result.asked, { 'POST https://web.example/x' })\n"
                        "  t.equal(t.run('ELSEWHERE', t.mail {}).detail, 'not_allowed')\n"
                        "end)\n"
                        "t.test('error', function()\n"
                        "  t.equal(t.run('WEB', t.mail {}).detail, 'dns: nxdomain')\n"
                        "  t.http { ['https://web.example/x'] = 'timeout' }\n"
                        "  t.equal(t.run('WEB', t.mail {}).detail, 'timeout')\n"
                        "end)\n"),
            "");
  EXPECT_THAT(failures_of("t.http { nowhere = {} }"), HasSubstr("expected URLs"));
  for (const char* status : {"'200'", "2^40", "199", "{}"}) {
    EXPECT_THAT(failures_of("t.http { ['https://web.example/x'] = { status = " + std::string(status) + " } }"),
                HasSubstr("status: expected a number"));
  }
}

TEST_F(Trial, AMailMayHaveAScoreAndAnOutcome) {
  rule("SUM", "if tx.score > 6.5 then return sp.quarantine { reason = tostring(tx.outcome) } end");
  rule("AFTER", "return sp.hit { detail = tx.outcome }", "done");
  EXPECT_EQ(failures_of("t.equal(t.run('SUM', t.mail {}).verdict, 'none')\n"
                        "local result = t.run('SUM', t.mail { score = 7, outcome = 'reject' })\n"
                        "t.equal({ result.verdict, result.text }, { 'quarantine', 'nil' })\n"
                        "t.equal(t.run('AFTER', t.mail {}).detail, 'relay')\n"
                        "t.equal(t.run('AFTER', t.mail { outcome = 'tempfail' }).detail, 'tempfail')\n"),
            "");
  EXPECT_THAT(failures_of("t.mail { outcome = 'relayed' }"), HasSubstr("outcome: expected one of"));
  EXPECT_THAT(failures_of("t.mail { score = 0 / 0 }"), HasSubstr("not a finite number"));
}

TEST_F(Trial, WhatTheGatewayFindsOutLaterIsNotThereYet) {
  for (const char* stage : {"helo", "mail", "headers", "message"}) {
    rule(std::string("AT_") + stage, "return sp.hit { detail = tostring(tx.auth.spf) .. tostring(tx.auth.dmarc) }",
         stage);
  }
  EXPECT_EQ(
      failures_of("local function seen(stage) return t.run('AT_' .. stage, t.mail { auth = { spf = 'pass', dmarc = "
                  "'fail' } }).detail end\n"
                  "t.equal({ seen('helo'), seen('mail'), seen('headers'), seen('message') }, { 'nilnil', 'passnil', "
                  "'passnil', 'passfail' })\n"),
      "");
}

// As the gateway's client does it, so that a rule that passes its tests works.
TEST_F(Trial, RedirectsAreFollowedAsByTheGateway) {
  settings.http = {"web.example", "other.example"};
  rule("WEB",
       "local a = sp.http.get('https://web.example/' .. tx.msg.subject, { headers = { ['X-Key'] = 'k' } })\n"
       "return sp.hit { detail = a.status .. a.body }");
  EXPECT_EQ(
      failures_of(
          "local function leads_to(url) return { status = 302, body = 'moved', headers = { Location = url } } end\n"
          "t.http { ['https://web.example/here'] = { body = 'here' }, ['https://other.example/'] = { body = 'other' "
          "},\n"
          "         ['https://web.example/a'] = leads_to('/here'), ['https://web.example/b'] = "
          "leads_to('//other.example'),\n"
          "         ['https://web.example/c'] = leads_to('https://third.example/'), ['https://web.example/e'] = "
          "leads_to('/e'),\n"
          "         ['https://web.example/d'] = leads_to('http://web.example/here') }\n"
          "local function run(path) return t.run('WEB', t.mail { headers = { Subject = path } }) end\n"
          "t.equal(run('a').detail, '200here')\n"
          "local b = run('b')\n"
          "t.equal({ b.detail, b.requests[1].headers, b.requests[2].headers }, { '200other', { ['X-Key'] = 'k' }, {} "
          "})\n"
          "t.equal({ run('c').detail, run('d').detail }, { '302moved', '302moved' })\n"
          "t.equal(#run('e').asked, 4)\n"),
      "");
}

TEST_F(Trial, TheMemoryLastsForOneTestOnTheTestsClock) {
  rule("SEEN",
       "return sp.hit { detail = tostring(sp.seen('s', tx.from.addr, '1h')) .. tostring(sp.rate('r', 'k', "
       "'1/1h')) .. tostring(sp.log('info', 'x')) }");
  EXPECT_EQ(failures_of("local function run() return t.run('SEEN', t.mail {}).detail end\n"
                        "t.test('one', function()\n"
                        "  t.equal(run(), 'falsetruetrue')\n"
                        "  t.equal(run(), 'truefalsetrue')\n"
                        "  t.now(t.now() + 3601)\n"
                        "  t.equal(run(), 'falsetruetrue')\n"
                        "end)\n"
                        "t.test('another', function() t.equal(run(), 'falsetruetrue') end)\n"),
            "");
}

TEST_F(Trial, ListsAreTheFilesUnlessTheTestSaysWhatTheyHave) {
  write("vip.txt", "ann@example.org\n");
  write("r.lua",
        "local sp = require 'sallyport' local vip = sp.list { file = 'vip.txt', kind = 'address' }\n"
        "sp.rule { name = 'r', stage = 'message', run = function(tx) return vip:contains(tx.from.addr) end }\n");
  EXPECT_EQ(failures_of(R"(
    local function verdict(from) return t.run("r", t.mail { from = from }).verdict end
    t.test("one", function()
      t.equal(verdict("ann@example.org"), "hit")
      t.list("vip.txt", { "Eve@example.org", "joe@example.org" })
      t.equal({ verdict("ann@example.org"), verdict("eve@example.org") }, { "none", "hit" })
    end)
    t.test("another", function() t.equal(verdict("ann@example.org"), "hit") end))"),
            "");
  EXPECT_THAT(failures_of("t.list('other.txt', { 'a@b.example' })"), HasSubstr("no rule has opened such a list"));
  EXPECT_THAT(failures_of("t.list('vip.txt', { 'no address' })"), HasSubstr("vip.txt: line 1"));
}

TEST_F(Trial, WhatARuleSendsAndLogsIsInTheResult) {
  rule("r",
       "sp.http.post('https://api.example/check', tx.from.addr, { headers = { ['X-Key'] = 'k' } })\n"
       "sp.log('warning', 'a ' .. tx.msg.subject) return true");
  EXPECT_EQ(failures_of("t.http { ['https://api.example/check'] = {} }\n"
                        "local result = t.run('r', t.mail { headers = { Subject = 'b' } })\n"
                        "t.equal(result.log, { 'warning: a b' })\n"
                        "t.equal(result.requests, { { method = 'POST', url = 'https://api.example/check',\n"
                        "  body = 'ann@example.org', headers = { ['X-Key'] = 'k' } } })"),
            "");
  EXPECT_THAT(failures_of("t.http { ['https://api.example/'] = { body = ('x'):rep(8e6) } } for i = 1, 10 do\n"
                          "t.http { ['https://api.example/' .. i] = { body = ('x'):rep(8e6) } } end"),
              HasSubstr("64 MiB at most"));
}

}  // namespace
}  // namespace sallyport::lua
