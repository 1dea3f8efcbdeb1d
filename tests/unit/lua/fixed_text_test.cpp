// What of an error's text is shown: whatever a mail contributes to it is not.
#include "lua/engine/fixed_text.h"

#include <random>

#include "tests/unit/lua/gather_fixture.h"

namespace sallyport::lua {
namespace {

using testing::HasSubstr;
using testing::Not;

FixedText text_of(std::string_view source) {
  FixedText text;
  text.add(source);
  return text;
}

TEST(FixedTextOf, ConstantsAreShown) {
  const FixedText text = text_of("error('no such list') error(\"bad entry: \" .. name) error(('at %s'):format(x))");
  EXPECT_EQ(text.shown("no such list"), "no such list");
  EXPECT_EQ(text.shown("r.lua:3: no such list"), "no such list");
  EXPECT_EQ(text.shown("r.lua:7: r.lua:3: no such list"), "no such list");
  EXPECT_EQ(text.shown("r.lua:3: bad entry: ann@example.org"), "bad entry: ...");
  EXPECT_EQ(text.shown("ann@example.org"), "(not shown)");
  EXPECT_EQ(text.shown("at a"), "at a") << "these are words of the engine's own messages";
  EXPECT_EQ(text.shown(""), "(not shown)");
}

TEST(FixedTextOf, LuasOwnMessagesAreShown) {
  const FixedText text = text_of("local domain = tx.from.domain.x.length; string.rep(domain) sp.rejct()");
  for (const std::string message :
       {"attempt to index a nil value (field 'x')", "attempt to call a nil value (local 'domain')",
        "bad argument #1 to 'rep' (string expected, got nil)", "attempt to compare number with nil",
        "attempt to compare two table values", "attempt to concatenate a nil value (field '?')",
        "number has no integer representation", "attempt to perform 'n//0'", "'for' initial value must be a number",
        "attempt to perform arithmetic on a nil value (global 'domain')", "attempt to idiv a 'string' with a 'table'",
        "assertion failed!", "stack overflow", "sp.rejct does not exist", "sp.log is there only while a rule runs",
        "files can be required only while the rules load"}) {
    EXPECT_EQ(text.shown("r.lua:1: " + message), message);
  }
}

TEST(FixedTextOf, WhatIsNotInTheFilesEndsIt) {
  const FixedText text = text_of("local s = tx.msg.subject");
  EXPECT_EQ(text.shown("bad argument #1 to 'format' (invalid conversion '%secret' to 'format')"),
            "bad argument #1 to 'format' (invalid conversion ...");
  EXPECT_EQ(text.shown("attempt to index a nil value (field 'secret')"), "attempt to index a nil value (field ...");
  EXPECT_EQ(text.shown("sp.secret does not exist"), "(not shown)");
  EXPECT_LE(text.shown(std::string(100'000, 'a') + " " + std::string(100'000, ' ')).size(), 220u);
}

// Errors of every kind made of words that only the mail has: none of them is in the log line, the facts or `explain`.
class ErrorsOfRules : public GatherTest {};

TEST_F(ErrorsOfRules, NothingOfTheMailIsShown) {
  std::mt19937 random(7);
  const std::vector<std::string> ways = {"error(S)",
                                         "error(S, 0)",
                                         "error('prefix: ' .. S)",
                                         "error(S .. ' suffix')",
                                         "error({ S })",
                                         "assert(false, S)",
                                         "error(tx.from)",
                                         "error(tx.from.addr)",
                                         "return S",
                                         "return { S }",
                                         "local t = {} return t[S].x",
                                         "S()",
                                         "return sp[S]",
                                         "return tx[S]",
                                         "return S + 1",
                                         "return S < 1",
                                         "return #S < S",
                                         "string.format('%d', S)",
                                         "string.format(S)",
                                         "string.rep(S)",
                                         "tostring(nil)[S] = 1",
                                         "sp.re(S .. '(')",
                                         "sp.tag { header = S }",
                                         "sp.accept { skip = { S } }",
                                         "sp.tag { [S] = 1 }",
                                         "setmetatable({}, { __index = function(_, k) error(k) end })[S]()",
                                         "error(setmetatable({}, { __tostring = function() return S end }))",
                                         "coroutine.wrap(function() error(S) end)()",
                                         "select(2, xpcall(error, function(e) error(e) end, S))()",
                                         "sp.dns.a(S)",
                                         "os.date(S)",
                                         "utf8.codepoint(S, 99)",
                                         "table.concat({ S, {} })",
                                         "table.concat({}, S, S)",
                                         "for i = S, 2 do end",
                                         "require(S)",
                                         "sp.reject(S)"};
  for (const std::string& way : ways) {
    std::string secret;
    for (int i = 0; i < 3; ++i) {
      secret += i == 0 ? "" : " ";
      for (int k = 0; k < 8; ++k) secret += static_cast<char>('a' + random() % 26);
    }
    secret += way.find("format(S)") == way.npos && way.find("date") == way.npos ? "" : " %q%Q";
    log.lines.clear();
    set_message("Subject: " + secret + "\r\n\r\n");
    mail.from = MailAddress{secret.substr(0, 8), "example.org"};
    const std::vector<Verdict> said = verdicts_of(rule("r", "local S = tx.msg.subject " + way));
    if (said.empty()) continue;  // some of them are no error at all
    std::string shown = facts.to_json() + rules_entry.explain(mail, facts, &settings).fact;
    for (const std::string& line : log.lines) shown += line;
    for (std::size_t at = 0; at + 8 <= secret.size() && at < 26; at += 9) {
      EXPECT_THAT(shown, Not(HasSubstr(secret.substr(at, 8)))) << way;
    }
  }
}

// A subject may be made of the very words that the engine's messages are made of.
TEST_F(ErrorsOfRules, AMailInTheEnginesWordsIsNotShownEither) {
  set_message("Subject: no one is to call the value that this rule has got\r\n\r\n");
  for (const std::string way :
       {"error(S)", "error(S, 0)", "assert(false, S)", "assert(nil, S)", "local _, e = pcall(error, S) error(e, 0)",
        "local _, e = pcall(error, S) error(e)", "local _, e = pcall(assert, false, S) error(e)",
        "select(2, xpcall(error, function(e) error(e) end, S))()", "coroutine.wrap(function() error(S) end)()",
        "pcall(nil) error(S)"}) {
    log.lines.clear();
    verdicts_of(rule("r", "local S = tx.msg.subject " + way));
    ASSERT_EQ(log.lines.size(), 1u) << way;
    EXPECT_THAT(log.lines[0], Not(HasSubstr("no one"))) << way;
    EXPECT_THAT(log.lines[0], HasSubstr("error=")) << way;
  }
}

TEST_F(ErrorsOfRules, WhatTheEngineHasRaisedMayBeRaisedAgain) {
  for (const std::string again : {"error(e, 0)", "error(e)", "assert(nil, e)"}) {
    log.lines.clear();
    verdicts_of(rule("r", "local _, e = pcall(function() local x = nil return x.y end) " + again));
    ASSERT_EQ(log.lines.size(), 1u) << again;
    EXPECT_THAT(log.lines[0], HasSubstr("error=\"attempt to index a nil value (local 'x')\"")) << again;
  }
}

TEST_F(ErrorsOfRules, TheirFixedPartIsLoggedAndExplained) {
  verdicts_of("\n" + rule("r", "error('the list is missing')"));
  ASSERT_EQ(log.lines.size(), 1u);
  EXPECT_THAT(log.lines[0], HasSubstr("rule=r file=r.lua line=2 error=\"the list is missing\""));
  EXPECT_EQ(rules_entry.explain(mail, facts, &settings).fact.substr(0, 3), "r: ");
  EXPECT_THAT(rules_entry.explain(mail, facts, &settings).fact, HasSubstr("at r.lua:2: the list is missing"));
  log.lines.clear();
  verdicts_of(rule("r", "return tx.from.addr.x.y"));
  EXPECT_THAT(log.lines.at(0), HasSubstr("error=\"attempt to index a nil value (field 'x')\""));
  log.lines.clear();
  verdicts_of(rule("r", "return 'a text'"));
  EXPECT_THAT(log.lines.at(0), HasSubstr("error=\"it returned a string, which is no verdict\""));
}

}  // namespace
}  // namespace sallyport::lua
