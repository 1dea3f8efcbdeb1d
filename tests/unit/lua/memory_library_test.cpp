// sp.rate, sp.seen, sp.memo and sp.log, as rules use them.
#include "gateway/state/mail_memory.h"

#include "tests/unit/lua/gather_fixture.h"

namespace sallyport::lua {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

class RuleMemory : public GatherTest {
 protected:
  RuleMemory() : memory({}, [this] { return loop.now(); }) {
    mail.tenant.name = "acme";
    resolver.zone().a("host.example", "192.0.2.1");
  }
  // The rule runs for one more mail; gives the detail of its hit, or the error's place.
  std::string next() {
    deadline = loop.now() + std::chrono::seconds(20);
    const policies::GatherContext at_hand = context();
    learned.of<RuleServices>().memory = has_memory ? &memory : nullptr;
    const auto gathering = gatherer->begin();
    loop.run_until_done(gathering->gather(Stage::message, mail, facts, at_hand));
    const std::vector<RuleFact> rules = found();
    return rules.empty() ? "silent" : rules.front().detail;
  }
  void rule_is(const std::string& body) { use(rule("r", body)); }

  state::MailMemory memory;
  bool has_memory = true;
};

TEST_F(RuleMemory, RatesAreKeptAcrossMails) {
  rule_is(
      "local ok, wait = sp.rate('per sender', tx.from.addr, '2/1h') return sp.hit { detail = tostring(ok) .. "
      "tostring(wait) }");
  EXPECT_EQ(next(), "truenil");
  EXPECT_EQ(next(), "truenil");
  EXPECT_EQ(next(), "false1800");
  mail.from = MailAddress{"bob", "example.org"};
  EXPECT_EQ(next(), "truenil");
  mail.from = MailAddress{"ann", "example.org"};
  mail.tenant.name = "other";
  EXPECT_EQ(next(), "truenil") << "each tenant has its own";
  mail.tenant.name = "acme";
  loop.advance(minutes(31));
  EXPECT_EQ(next(), "truenil");
}

TEST_F(RuleMemory, SightsAreKeptAcrossMailsAndReloads) {
  const std::string body =
      "local known, age = sp.seen('senders', tx.from.addr, '30d') return sp.hit { detail = tostring(known) .. "
      "tostring(age) }";
  rule_is(body);
  EXPECT_EQ(next(), "falsenil");
  loop.advance(hours(2));
  EXPECT_EQ(next(), "true7200");
  rule_is(body);
  EXPECT_EQ(next(), "true7200");
  loop.advance(hours(24 * 30));
  EXPECT_EQ(next(), "falsenil");
}

TEST_F(RuleMemory, ValuesAreFoundOutOnce) {
  dns_takes(milliseconds(50));
  rule_is(
      "local asked = 'kept' local v, err = sp.memo('hosts', 'host.example', 3600, function() asked = 'asked' return { "
      "a = "
      "sp.dns.a('host.example') } end) return sp.hit { detail = asked .. v.a[1] .. tostring(err) }");
  EXPECT_EQ(next(), "asked192.0.2.1nil") << "the function may wait";
  EXPECT_EQ(next(), "kept192.0.2.1nil");
  loop.advance(hours(1));
  EXPECT_EQ(next(), "asked192.0.2.1nil");
}

TEST_F(RuleMemory, WhatIsNotFoundOutIsNotKept) {
  rule_is(
      "local v, err = sp.memo('x', tx.from.addr, '1h', function() return nil, 'timeout' end) return sp.hit { detail = "
      "tostring(v) .. err }");
  EXPECT_EQ(next(), "niltimeout");
  EXPECT_EQ(next(), "niltimeout");
  rule_is("return sp.hit { detail = tostring(sp.memo('y', 'k', '1h', function() return false end)) }");
  EXPECT_EQ(next(), "false");
  rule_is("return sp.hit { detail = tostring(sp.memo('y', 'k', '1h', function() error('asked again') end)) }");
  EXPECT_EQ(next(), "false");
}

TEST_F(RuleMemory, AValueIsTheSameTheFirstTimeAndLater) {
  rule_is(
      "local v = sp.memo('z', 'k', '1h', function() return { [7] = 'seven', half = 4 / 2, odd = '\\xff', gap = { 1, "
      "nil, 3 } } end) "
      "return sp.hit { detail = tostring(v[7]) .. tostring(v['7']) .. math.type(v.half) .. #v.odd .. "
      "tostring(v.gap['3']) }");
  const std::string first = next();
  EXPECT_EQ(first, "nilseveninteger33");
  EXPECT_EQ(next(), first);
}

TEST_F(RuleMemory, WithoutAMemoryNothingIsRemembered) {
  has_memory = false;
  rule_is(
      "return sp.hit { detail = tostring(sp.rate('a', 'b', '1/1h')) .. tostring(sp.seen('a', 'b', 5)) .. sp.memo('a', "
      "'b', 5, "
      "function() return 'new' end) }");
  EXPECT_EQ(next(), "truefalsenew");
  EXPECT_EQ(next(), "truefalsenew");
}

TEST_F(RuleMemory, MistakesAreErrors) {
  for (const char* call : {
           "sp.rate('a', 'b', 'often')",
           "sp.rate('a', 'b', '0/1h')",
           "sp.rate('a', 'b', '1/1h\\0')",
           "sp.rate('a\\nb', 'b', '1/1h')",
           "sp.rate('a', ('x'):rep(1001), '1/1h')",
           "sp.rate('a', tx.from, '1/1h')",
           "sp.seen('a', 'b', 0)",
           "sp.seen('a', 'b', 0/0)",
           "sp.seen('a', 'b', 1/0)",
           "sp.seen('a', 'b', -5)",
           "sp.seen('a', 'b', '400d')",
           "sp.seen('a', 'b', {})",
           "sp.memo('a', 'b', '1h', 'x')",
           "sp.memo('a', 'b', 'soon', function() end)",
           "sp.memo('a', 'b', '1h', function() return tx end)",
           "sp.memo('a', 'b', '1h', function() return ('x'):rep(20000) end)",
           "sp.memo('a', 'b', '1h', function() return tostring end)",
           "sp.memo('a', 'b', '1h', function() local t = {} t[1] = t return t end)",
       }) {
    rule_is("local ok, err = pcall(function() return " + std::string(call) +
            " end) return sp.hit { detail = tostring(ok) }");
    EXPECT_EQ(next(), "false") << call;
  }
  EXPECT_EQ(memory.size(), 0u);
}

TEST_F(RuleMemory, AnyOctetsAreAKey) {
  rule_is(
      "local k = '\\0\\r\\n\\xff' local a = sp.seen('n', k, 60) return sp.hit { detail = tostring(a) .. "
      "tostring(sp.seen('n', k, 60)) .. tostring(sp.seen('n', k:sub(1, 3), 60)) }");
  EXPECT_EQ(next(), "falsetruefalse");
}

TEST_F(RuleMemory, BesideEachOther) {
  rule_is(
      "local r = sp.each({ 'a', 'b', 'c' }, function(k) return sp.memo('e', k, 60, function() return k .. "
      "sp.dns.a('host.example')[1] end) "
      "end) return sp.hit { detail = r.a .. r.c }");
  dns_takes(milliseconds(10));
  EXPECT_EQ(next(), "a192.0.2.1c192.0.2.1");
  EXPECT_EQ(next(), "a192.0.2.1c192.0.2.1");
  EXPECT_EQ(memory.size(), 3u);
}

// -- the log

TEST_F(RuleMemory, LinesInTheLogNameTheRuleAndTheMail) {
  rule_is("sp.log('warning', 'seen \\27[31m\\r\\n\\0' .. tx.from.addr)");
  next();
  ASSERT_EQ(log.lines.size(), 1u);
  const std::string& line = log.lines.front();
  EXPECT_NE(line.find("event=rule id=" + mail.id + " tenant=acme rule=r text="), std::string::npos) << line;
  EXPECT_NE(line.find("ann@example.org"), std::string::npos) << line;
  for (const char c : line) EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20) << line;
}

TEST_F(RuleMemory, LinesInTheLogAreFewAndShort) {
  rule_is(
      "local n = 0 for i = 1, 50 do if sp.log('info', ('x'):rep(60000)) then n = n + 1 end end return sp.hit { detail "
      "= tostring(n) }");
  EXPECT_EQ(next(), "20");
  EXPECT_EQ(log.lines.size(), 20u);
  EXPECT_LT(log.lines.front().size(), 600u);
  for (int i = 0; i < 40; ++i) next();
  EXPECT_EQ(log.lines.size(), 60u) << "of one rule in one minute";
  loop.advance(minutes(1));
  next();
  EXPECT_EQ(log.count({"event=rule", "dropped="}), 1u);
}

TEST_F(RuleMemory, LinesInTheLogTakeOnlyKnownLevels) {
  rule_is("return sp.hit { detail = tostring(pcall(sp.log, 'fatal', 'x')) .. tostring(pcall(sp.log, 'info', nil)) }");
  EXPECT_EQ(next().substr(0, 5), "false");
  EXPECT_TRUE(log.lines.empty());
}

}  // namespace
}  // namespace sallyport::lua
