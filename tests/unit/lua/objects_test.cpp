// What rules see of a mail, and the values they give back (contract.md, section 8; threats.md L8).
#include "lua/engine/objects.h"

#include <string>
#include <string_view>
#include <vector>

#include "lua/engine/context.h"
#include "lua/engine/registration.h"
#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {

// Facts of some policy that rules know nothing of, but for what they tell everybody.
struct SaidOfSenders {
  std::vector<std::string> results;  // of spf, dkim, dmarc, arc
  std::string client_name;

  template <class V>
  void fields(V& visit) {
    visit("results", results);
    visit("client_name", client_name);
  }
};

namespace {

void tell_of_senders(const void* facts, policies::Findings& findings) {
  const auto& said = *static_cast<const SaidOfSenders*>(facts);
  constexpr std::string_view methods[] = {"spf", "dkim", "dmarc", "arc"};
  for (std::size_t i = 0; i < said.results.size(); ++i) findings.words.emplace_back(methods[i], said.results[i]);
  findings.client_name = said.client_name;
}

constexpr policies::FactsType said_of_senders = policies::facts_type<SaidOfSenders>("senders", tell_of_senders);

}  // namespace
}  // namespace sallyport::lua

namespace sallyport::policies {

template <>
inline const FactsType& type_of<lua::SaidOfSenders>() {
  return lua::said_of_senders;
}

}  // namespace sallyport::policies

namespace sallyport::lua {
namespace {

using Kind = RunResult::Kind;

class Objects : public RulesTest {
 protected:
  // The error of an expression, as pcall tells it.
  std::string error_of(const std::string& expression) {
    return text_of("select(2, pcall(function() return " + expression + " end))");
  }
  RuleFact fact_of(const std::string& expression) { return run_body("return " + expression).fact; }
};

// -- tx
// -------------------------------------------------------------------------------------------------------------------

TEST_F(Objects, Transaction) {
  EXPECT_EQ(text_of("tx.id"), mail.id);
  EXPECT_EQ(text_of("tx.tenant"), "nil") << "no recipient has told whose mail it is";
  mail.tenant.name = "acme";
  EXPECT_EQ(text_of("tx.tenant"), "acme");
  EXPECT_EQ(text_of("tx.now"), "1790000000");
  EXPECT_EQ(text_of("tx.msg"), "nil");
  EXPECT_EQ(text_of("tx.rcpt"), "bob@example.com");
}

TEST_F(Objects, Client) {
  EXPECT_EQ(text_of("tx.client.ip .. ' ' .. tx.client.port .. ' ' .. tx.client.helo"),
            "192.0.2.7 40000 mail.example.org");
  EXPECT_EQ(text_of("tostring(tx.client.rdns) .. ' ' .. tostring(tx.client.fcrdns) .. ' ' .. tostring(tx.client.tls)"),
            "nil false nil");
  mail.client.rdns = "mail.example.org";
  mail.client.fcrdns = true;
  mail.client.tls = policies::TlsFacts{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "", false, false, ""};
  EXPECT_EQ(text_of("tx.client.rdns .. ' ' .. tostring(tx.client.fcrdns)"), "mail.example.org true");
  EXPECT_EQ(text_of("tx.client.tls.version .. ' ' .. tx.client.tls.cipher .. ' ' .. tx.client.tls.bits"),
            "TLSv1.3 TLS_AES_256_GCM_SHA384 256");
  EXPECT_EQ(text_of("tostring(tx.client.tls.verified) .. ' ' .. tostring(tx.client.tls.subject)"), "false nil");
  mail.client.tls->client_is_verified = true;
  mail.client.tls->client_subject = "CN=relay.example.org";
  EXPECT_EQ(text_of("tostring(tx.client.tls.verified) .. ' ' .. tx.client.tls.subject"), "true CN=relay.example.org");
}

// The transaction has the last one that was asked for at later stages, too, and that may have been refused.
TEST_F(Objects, TheRecipientIsTheOneThatIsAskedForAndLaterTheFirstThatWasAccepted) {
  const auto recipient_at = [this](const char* stage) {
    write("r.lua", rule_text("return sp.hit { detail = tostring(tx.rcpt) }", stage));
    load();
    return std::string(run().fact.detail);
  };
  mail.rcpt = MailAddress{"carl", "example.com"};
  mail.rcpts.clear();
  for (const char* stage : {"connect", "helo", "mail", "headers", "message", "done"})
    EXPECT_EQ(recipient_at(stage), "nil") << stage;
  EXPECT_EQ(recipient_at("rcpt"), "carl@example.com");
  mail.rcpts = {MailAddress{"bob", "example.com"}, MailAddress{"eve", "example.com"}};
  for (const char* stage : {"headers", "message", "done"}) EXPECT_EQ(recipient_at(stage), "bob@example.com") << stage;
  EXPECT_EQ(recipient_at("rcpt"), "carl@example.com");
}

TEST_F(Objects, Addresses) {
  EXPECT_EQ(text_of("tx.from.addr .. ' ' .. tx.from.user .. ' ' .. tx.from.domain"), "ann@example.org ann example.org");
  EXPECT_EQ(text_of("tx.from"), "ann@example.org");
  mail.rcpts.push_back({"eve", "example.com"});
  EXPECT_EQ(text_of("#tx.rcpts .. ' ' .. tx.rcpts[2].user"), "2 eve");
  mail.from = MailAddress{};
  EXPECT_EQ(text_of("'[' .. tx.from.addr .. tx.from.domain .. ']'"), "[]");
  mail.from.reset();
  EXPECT_EQ(text_of("tx.from"), "nil");
}

TEST_F(Objects, ChangesToTheListOfRecipientsStayInTheRule) {
  EXPECT_EQ(text_of("(function() tx.rcpts[1] = nil return #tx.rcpts end)()"), "1");
}

TEST_F(Objects, Message) {
  set_message(
      "From: \"A, B\" <Ann@Example.ORG>\r\nTo: bob@example.com, eve@example.com\r\n"
      "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n from here\r\nReceived: one\r\nreceived: "
      "two\r\nX-Empty:\r\n\r\nbody\r\n");
  EXPECT_EQ(run_body("assert(tx.msg.subject == 'Gr\\u{fc}\\u{df}e from here')").kind, Kind::silent);
  EXPECT_EQ(text_of("tx.msg.from.addr .. ' ' .. tx.msg.from.domain .. ' ' .. tx.msg.to.user"),
            "Ann@Example.ORG example.org bob");
  EXPECT_EQ(text_of("tx.msg.size"), std::to_string(message->octets()));
  EXPECT_EQ(text_of("tx.msg:header('RECEIVED')"), "one");
  EXPECT_EQ(text_of("tx.msg:header('x-empty') == ''"), "true");
  EXPECT_EQ(text_of("tx.msg:header('X-None')"), "nil");
  EXPECT_EQ(text_of("table.concat(tx.msg:headers('Received'), ' ') .. #tx.msg:headers('X-None')"), "one two0");
}

TEST_F(Objects, AMessageWithoutFields) {
  set_message("\r\nbody\r\n");
  EXPECT_EQ(text_of("tostring(tx.msg.subject) .. tostring(tx.msg.from) .. tostring(tx.msg.to)"), "nilnilnil");
}

TEST_F(Objects, WhatTheChecksOfTheSenderHaveFound) {
  EXPECT_EQ(
      text_of("tostring(tx.auth.spf) .. tostring(tx.auth.dkim) .. tostring(tx.auth.dmarc) .. tostring(tx.auth.arc)"),
      "nilnilnilnil");
  facts.put(SaidOfSenders{{"softfail", "pass", "temperror", "none"}, "mail.example.org"});
  EXPECT_EQ(text_of("tx.auth.spf .. ' ' .. tx.auth.dkim .. ' ' .. tx.auth.dmarc .. ' ' .. tx.auth.arc"),
            "softfail pass temperror none");
  EXPECT_EQ(error_of("tx.auth['dmark']"), "r.lua:3: tx.auth.dmark does not exist; did you mean tx.auth.dmarc?");
}

TEST_F(Objects, TheClientsConfirmedName) {
  facts.put(SaidOfSenders{{}, "mail.example.org"});
  EXPECT_EQ(text_of("tx.client.rdns .. ' ' .. tostring(tx.client.fcrdns)"), "mail.example.org true");
  mail.client.rdns = "told.by.xclient.example";
  EXPECT_EQ(text_of("tx.client.rdns"), "told.by.xclient.example");
}

TEST_F(Objects, WhatWasFoundOutIsThatOfTheMail) {
  facts.put(SaidOfSenders{{"pass"}, ""});
  EXPECT_EQ(text_of("tx.auth.spf"), "pass");
  facts.put(SaidOfSenders{{"fail"}, ""});
  EXPECT_EQ(run().fact.detail, "fail");
  facts = {};
  EXPECT_EQ(run().fact.detail, "nil");
}

TEST_F(Objects, MisspeltFieldsAreErrors) {
  set_message("Subject: x\r\n\r\n");
  EXPECT_EQ(error_of("tx['clent']"), "r.lua:3: tx.clent does not exist; did you mean tx.client?");
  EXPECT_EQ(error_of("tx.client['address']"), "r.lua:3: tx.client.address does not exist");
  EXPECT_EQ(error_of("tx.from['orgdomain']"),
            "r.lua:3: address.orgdomain does not exist; did you mean address.org_domain?");
  EXPECT_EQ(error_of("tx.msg['txt']"), "r.lua:3: tx.msg.txt does not exist; did you mean tx.msg.text?");
  EXPECT_EQ(error_of("tx.msg['subjet']"), "r.lua:3: tx.msg.subjet does not exist; did you mean tx.msg.subject?");
  for (const char* key : {"tx[1]", "tx[nil]", "tx[tx]", "tx['']", "tx['a\\0b']", "tx.from[{}]"}) {
    EXPECT_EQ(run_body(std::string("return ") + key).kind, Kind::error) << key;
  }
}

TEST_F(Objects, MethodsCheckTheirArguments) {
  set_message("Subject: x\r\n\r\n");
  for (const char* call :
       {"tx.msg:header()", "tx.msg:header(1)", "tx.msg:header({})", "tx.msg:header('')", "tx.msg:header('a:b')",
        "tx.msg:header('a b')", "tx.msg:header('a\\0b')", "tx.msg:header('a\\r\\nb')", "tx.msg:header(('x'):rep(1000))",
        "tx.msg.header('Subject')", "tx.msg.header(tx, 'Subject')", "tx.msg.header(tx.from, 'Subject')",
        "tx.msg.headers({}, 'Subject')", "tx.msg.header(sp.drop(), 'Subject')"}) {
    EXPECT_EQ(run_body(std::string("return ") + call).kind, Kind::error) << call;
  }
}

TEST_F(Objects, AValueOfAnEarlierRunIsStale) {
  Context context;
  lua_State* L = lua_newstate(Meter::allocate, &context.meter);
  context.attach(L);
  register_object_types(L);
  push_transaction(L, mail);
  lua_setglobal(L, "tx");
  EXPECT_EQ(luaL_dostring(L, "client = tx.client return client.ip"), LUA_OK);
  ++context.run;
  EXPECT_NE(luaL_dostring(L, "return tx.id"), LUA_OK);
  EXPECT_NE(luaL_dostring(L, "return client.ip"), LUA_OK);
  lua_close(L);
}

// -- verdicts
// -------------------------------------------------------------------------------------------------------------

TEST_F(Objects, NothingToSay) {
  EXPECT_EQ(run_body("").kind, Kind::silent);
  EXPECT_EQ(run_body("return nil").kind, Kind::silent);
  EXPECT_EQ(run_body("return false").kind, Kind::silent);
  EXPECT_EQ(run_body("return nil, 'reason'").kind, Kind::silent);
}

TEST_F(Objects, TrueIsTheRulesSymbol) {
  const RunResult result = run_body("return true");
  EXPECT_EQ(result.kind, Kind::verdict);
  EXPECT_EQ(result.fact.answer, RuleAnswer::hit);
  EXPECT_EQ(result.fact.score, 3);
  EXPECT_EQ(result.fact.rule, "r");
  EXPECT_EQ(result.fact.stage, policies::Stage::message);
}

TEST_F(Objects, Hits) {
  EXPECT_EQ(fact_of("sp.hit()").score, 3);
  EXPECT_EQ(fact_of("sp.hit {}").score, 3);
  EXPECT_EQ(fact_of("sp.hit { score = -1.5 }").score, -1.5);
  EXPECT_EQ(fact_of("sp.hit { score = 0 }").score, 0);
  EXPECT_EQ(fact_of("sp.hit { detail = 'a\\r\\nb\\0' }").detail, "a??b?");
}

TEST_F(Objects, Refusals) {
  RuleFact fact = fact_of("sp.reject(554, '5.7.23', 'No thanks')");
  EXPECT_EQ(fact.answer, RuleAnswer::reject);
  EXPECT_EQ(fact.code, 554);
  EXPECT_EQ(fact.dsn, "5.7.23");
  EXPECT_EQ(fact.text, "No thanks");
  fact = fact_of("sp.reject()");
  EXPECT_EQ(fact.code, 550);
  EXPECT_EQ(fact.dsn, "5.7.1");
  EXPECT_FALSE(fact.text.empty());
  fact = fact_of("sp.tempfail(450)");
  EXPECT_EQ(fact.answer, RuleAnswer::tempfail);
  EXPECT_EQ(fact.code, 450);
  EXPECT_EQ(fact.dsn, "4.7.1");
  EXPECT_EQ(fact_of("sp.reject(550, '5.7.1', 'Gr\\u{fc}n')").text, "Gr??n");
}

TEST_F(Objects, OtherVerdicts) {
  EXPECT_EQ(fact_of("sp.drop()").answer, RuleAnswer::drop);
  EXPECT_EQ(fact_of("sp.discard()").answer, RuleAnswer::discard);
  EXPECT_EQ(fact_of("sp.discard { reason = 'known loop' }").text, "known loop");
  EXPECT_EQ(fact_of("sp.accept()").answer, RuleAnswer::accept);
  EXPECT_THAT(fact_of("sp.accept { skip = { 'dnsbl', 'rate' } }").skip, testing::ElementsAre("dnsbl", "rate"));
  const RuleFact tag = fact_of("sp.tag { header = { name = 'X-Spam', value = 'y\\u{e9}s' }, subject_prefix = '[?] ' }");
  EXPECT_EQ(tag.answer, RuleAnswer::tag);
  EXPECT_THAT(tag.add_headers, testing::ElementsAre(testing::Pair("X-Spam", "y\u00e9s")));
  EXPECT_EQ(tag.subject_prefix, "[?] ");
  EXPECT_THAT(fact_of("sp.tag { header = 'X-Spam:  yes ' }").add_headers,
              testing::ElementsAre(testing::Pair("X-Spam", "yes")));
}

class BadVerdict : public Objects, public testing::WithParamInterface<const char*> {};

TEST_P(BadVerdict, IsAnErrorInTheRule) { EXPECT_EQ(run_body(std::string("return ") + GetParam()).kind, Kind::error); }

INSTANTIATE_TEST_SUITE_P(
    All, BadVerdict,
    testing::Values(
        "sp.reject(250)", "sp.reject(451)", "sp.reject(600)", "sp.reject(5500)", "sp.reject(-550)", "sp.reject('x')",
        "sp.reject(550.5)", "sp.reject({})", "sp.tempfail(550)", "sp.tempfail(354)", "sp.reject(550, '4.7.1')",
        "sp.reject(550, '5.7')", "sp.reject(550, '5.7.1.1')", "sp.reject(550, '5.7.1234')", "sp.reject(550, '5.x.1')",
        "sp.reject(550, '5..1')", "sp.reject(550, 5.7)", "sp.reject(550, '5.7.1', 'a\\r\\n250 ok')",
        "sp.reject(550, '5.7.1', 'a\\nb')", "sp.reject(550, '5.7.1', 'a\\0b')",
        "sp.reject(550, '5.7.1', ('x'):rep(401))", "sp.reject(550, '5.7.1', {})", "sp.reject(550, '5.7.1', 5)",
        "sp.reject(550, '5.7.1', 'x', 'y')", "sp.tempfail(451, '5.7.1')", "sp.drop('x')", "sp.drop {}",
        "sp.hit { score = 'x' }", "sp.hit { score = 0/0 }", "sp.hit { score = 1/0 }", "sp.hit { scores = 1 }",
        "sp.hit { detail = 1 }", "sp.hit(5)", "sp.hit('x')", "sp.hit { 'x' }", "sp.discard { resaon = 'x' }",
        "sp.discard('x')", "sp.accept { skip = 'dnsbl' }", "sp.accept { skip = {} }", "sp.accept { skip = { 1 } }",
        "sp.accept { skip = { 'a b' } }", "sp.accept { skip = { '' } }", "sp.accept { skip = { ('x'):rep(1000) } }",
        "sp.accept { skip = setmetatable({}, { __len = function() return 1 << 60 end }) }",
        "sp.tag { header = 'no colon' }", "sp.tag { header = ': x' }", "sp.tag { header = 'a b: x' }",
        "sp.tag { header = 'X-A: x\\r\\nBcc: y' }", "sp.tag { header = 'X-A: x\\0' }", "sp.tag { header = 'X\\n: x' }",
        "sp.tag { header = { name = 'X-A\\r\\nX', value = 'x' } }",
        "sp.tag { header = { name = 'X-A', value = 'x\\r' } }", "sp.tag { header = { name = 'X-A', valeu = 'x' } }",
        "sp.tag { header = { name = 1, value = 'x' } }", "sp.tag { header = 'X-A: ' .. ('x'):rep(1000) }",
        "sp.tag { header = 'X-A: \\xff' }", "sp.tag { header = 5 }", "sp.tag { header = 'From: x' }",
        "sp.tag { header = 'CONTENT-Type: x' }", "sp.tag { header = 'X-Sallyport-Id: x' }",
        "sp.tag { header = 'DKIM-Signature: x' }", "sp.tag { subject_prefix = 'a\\r\\nb' }",
        "sp.tag { subject_prefix = ('x'):rep(101) }", "sp.tag { subject_prefix = '\\xfc' }", "sp.tag { prefix = 'x' }",
        "sp['memory']", "sp[1]"));

// -- sp.re
// ----------------------------------------------------------------------------------------------------------------

TEST_F(Objects, RegularExpressions) {
  EXPECT_EQ(text_of("sp.re('b+'):test('abbc')"), "true");
  EXPECT_EQ(text_of("sp.re('^b'):test('abbc')"), "false");
  EXPECT_EQ(text_of("sp.re('B', 'i'):match('abbc')"), "b");
  EXPECT_EQ(text_of("sp.re('B'):match('abbc')"), "nil");
  EXPECT_EQ(text_of("table.concat({ sp.re('(\\\\w+)@(\\\\w+)'):match('to ann@example') }, ' ')"), "ann example");
  EXPECT_EQ(text_of("select('#', sp.re('(a)|(b)'):match('b')) .. tostring((sp.re('(a)|(b)'):match('b')))"), "2nil");
  EXPECT_EQ(text_of("table.concat({ sp.re('b(.)'):find('abcd') }, ' ')"), "2 3 c");
  EXPECT_EQ(text_of("sp.re('x*'):find('abc')"), "1");
  EXPECT_EQ(text_of("sp.re(''):match('') == ''"), "true");
}

TEST_F(Objects, BadRegularExpressions) {
  for (const char* call :
       {"sp.re('(')", "sp.re()", "sp.re(5)", "sp.re('a', 'x')", "sp.re('a', 1)", "sp.re(('a'):rep(5000))",
        "sp.re('((a{1000}){1000}){1000}')", "sp.re('\\\\1')", "sp.re('a'):test()", "sp.re('a'):test(5)",
        "sp.re('a'):match({})", "sp.re('a').test('a', 'a')", "sp.re('a').test(tx, 'a')", "sp.re('a'):tset('a')",
        "sp.re('(?:a|b|ab){90}c'):test(('x'):rep(60000))", "sp.re('(?:(a|b|ab|ba){1,20}){1,20}c')"}) {
    EXPECT_EQ(run_body(std::string("return not ") + call).kind, Kind::error) << call;
  }
}

TEST_F(Objects, ARunCompilesOnlySoManyPatterns) {
  EXPECT_EQ(run_body("for i = 1, 10 do sp.re('a' .. i) end").kind, Kind::silent);
  EXPECT_EQ(run_body("for i = 1, 100 do sp.re('a' .. i) end").kind, Kind::error);
  write("r.lua", "local sp = require 'sallyport' local t = {} for i = 1, 1000 do t[i] = sp.re('a' .. i) end\n" +
                     rule_text("return t[1000]:test('a1000')"));
  load();
  EXPECT_EQ(run().kind, Kind::verdict);
}

}  // namespace
}  // namespace sallyport::lua
