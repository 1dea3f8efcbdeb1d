// sp.re_set: many expressions at once find what each of them finds alone.
#include <random>

#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {
namespace {

using Kind = RunResult::Kind;

class RegexSets : public RulesTest {
 protected:
  // The numbers that the set finds in the text, with a space between two; "nil".
  std::string matches(const std::string& patterns, const std::string& text, const std::string& flags = "") {
    write("r.lua", "local sp = require 'sallyport'\nlocal set = sp.re_set({ " + patterns + " }" +
                       (flags.empty() ? "" : ", '" + flags + "'") +
                       ")\nsp.rule { name = 'r', stage = 'message', run = function(tx) local found = set:match(" +
                       text +
                       ") local all = found and table.concat(found, ' ') or 'nil' "
                       "if set:test(" +
                       text +
                       ") ~= (found ~= nil) then all = 'test() and match() disagree' end "
                       "return sp.hit { detail = all } end }");
    load();
    if (HasFatalFailure()) return "does not load";
    const RunResult result = run();
    return result.kind == Kind::verdict ? result.fact.detail : "failed";
  }
};

TEST_F(RegexSets, FindWhichMatch) {
  EXPECT_EQ(matches("'lottery', 'jack.?pot', '^x', '[0-9]{3}$'", "'the jackpot 123'"), "2 4");
  EXPECT_EQ(matches("'lottery', 'jackpot'", "'nothing'"), "nil");
  EXPECT_EQ(matches("", "'nothing'"), "nil");
}

TEST_F(RegexSets, LeaveCaseAsideWhereAsked) {
  EXPECT_EQ(matches("'Lottery'", "'LOTTERY'"), "nil");
  EXPECT_EQ(matches("'Lottery', 'bank'", "'LOTTERY BAN\\u{212a}'", "i"), "1 2");  // Kelvin is a K
  EXPECT_EQ(matches("'sales'", "'\\u{17f}ales'", "i"), "1");                      // so is a long s an s
  EXPECT_EQ(matches("'\\u{e9}t\\u{e9}'", "'\\u{c9}T\\u{c9}'", "i"), "1");
}

TEST_F(RegexSets, RefuseWhatIsNoExpression) {
  write("r.lua", "local sp = require 'sallyport'\nlocal set = sp.re_set { 'good', 'bad(' }");
  EXPECT_THAT(load_errors(), testing::ElementsAre(testing::HasSubstr("bad regular expression 2: missing )")));
  write("r.lua", "local sp = require 'sallyport'\nlocal set = sp.re_set { ('x{1000}'):rep(10) }");
  EXPECT_THAT(load_errors(), testing::ElementsAre(testing::HasSubstr("bad regular expression 1")));
}

TEST_F(RegexSets, AreMeteredAndCannotBeMadeForEachMail) {
  settings.cpu = std::chrono::milliseconds(20);
  write("r.lua",
        "local sp = require 'sallyport'\nlocal p = {} for i = 1, 500 do p[i] = 'word' .. i .. '.*x' end "
        "local set = sp.re_set(p)\nsp.rule { name = 'r', stage = 'message', run = function() "
        "local t = {} for i = 1, 500 do t[i] = 'word' .. i .. ' ' end t = table.concat(t):rep(4) "
        "while true do set:match(t) end end }");
  load();
  EXPECT_EQ(run().kind, Kind::timeout);
  EXPECT_EQ(run_body("local p = {} for i = 1, 17 do p[i] = 'x' end return sp.re_set(p) and true").kind, Kind::error);
}

TEST_F(RegexSets, FindWhatEachFindsAlone) {
  std::mt19937 random(11);
  const char* const pieces[] = {"abc", "b+", "(ab|cd)e", "[a-c]d", "x?yz", ".", "dea", "ca*b"};
  std::string patterns;
  std::string compiled;
  for (int i = 0; i < 40; ++i) {
    std::string pattern;
    for (auto n = random() % 3 + 1; n > 0; --n) pattern += pieces[random() % 8];
    patterns += "'" + pattern + "', ";
  }
  std::string texts;
  for (int i = 0; i < 200; ++i) {
    std::string text;
    for (auto n = random() % 12; n > 0; --n) text += static_cast<char>("abcdeyz"[random() % 7]);
    texts += "'" + text + "', ";
  }
  settings.cpu = std::chrono::seconds(5);
  write(
      "r.lua",
      "local sp = require 'sallyport'\nlocal patterns, texts, alone = { " + patterns + "}, { " + texts +
          "}, {}\nfor i, p in ipairs(patterns) do alone[i] = sp.re(p) end local set = sp.re_set(patterns)\n"
          "sp.rule { name = 'r', stage = 'message', run = function() for _, text in ipairs(texts) do "
          "local expected = {} for i, re in ipairs(alone) do if re:test(text) then expected[#expected + 1] = i end end "
          "local got = table.concat(set:match(text) or {}, ' ') "
          "if got ~= table.concat(expected, ' ') then return sp.hit { detail = text .. ': ' .. got } end end end }");
  load();
  const RunResult result = run();
  EXPECT_EQ(result.kind, Kind::silent) << result.fact.detail;
}

}  // namespace
}  // namespace sallyport::lua
