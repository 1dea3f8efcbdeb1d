// `sallyport lua` without its command line: what lines see, keep, print and answer.
#include "lua/trial/shell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sallyport::lua {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = Shell::Answer::Kind;

class ShellTest : public testing::Test {
 protected:
  ShellTest() {
    std::string pattern = testing::TempDir() + "sallyport-shell-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    settings.path = pattern;
    write(
        "r.lua",
        "local sp = require 'sallyport' local m = require 'helper'\n"
        "sp.rule { name = 'R', stage = 'message', score = 2, run = function(tx) return tx.msg.subject == m.word end }");
    write("helper.lua", "return { word = 'stored' }");
    TrialMail mail = ordinary_mail();
    mail.content = "Subject: =?utf-8?q?h=C3=A9llo?=\r\nX-A: 1\r\n\r\nbody\r\n";
    shell = std::make_unique<Shell>(settings, std::span<const std::string_view>(), std::move(mail));
    EXPECT_TRUE(shell->load_errors().empty());
  }
  ~ShellTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(settings.path, ignored);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(settings.path + "/" + name, std::ios::binary) << text;
  }
  std::string text_of(const std::string& code) {
    const Shell::Answer answer = shell->execute(code);
    EXPECT_EQ(answer.kind, Kind::done) << code << ": " << answer.error;
    return answer.text;
  }
  std::string error_of(const std::string& code) {
    const Shell::Answer answer = shell->execute(code);
    EXPECT_EQ(answer.kind, Kind::failed) << code;
    return answer.error;
  }

  RuleSettings settings;
  std::unique_ptr<Shell> shell;
};

TEST_F(ShellTest, ShowsValues) {
  EXPECT_EQ(text_of("1 + 1"), "2\n");
  EXPECT_EQ(text_of("return 1, 'a', nil"), "1\ta\tnil\n");
  EXPECT_EQ(text_of("{ 1, 'two', x = { true } }"), "{ 1, \"two\", x = { true } }\n");
  EXPECT_EQ(text_of("'a\\r\\nb\\27[31m'"), "a\nb\\27[31m\n") << "a terminal gets no escapes of a mail";
  EXPECT_EQ(text_of("local x = 1"), "");
  EXPECT_EQ(text_of("for i = 1, 2 do print(i, 'x') end"), "1\tx\n2\tx\n");
  EXPECT_EQ(text_of(""), "");
}

TEST_F(ShellTest, ShowsWhatTheMailHas) {
  EXPECT_EQ(text_of("tx.from"), "ann@example.org\n");
  EXPECT_THAT(text_of("tx.client"), HasSubstr("tx.client { ip = \"192.0.2.1\", port = 40000,"));
  EXPECT_THAT(text_of("tx"), HasSubstr("from = ann@example.org"));
  EXPECT_THAT(text_of("tx"), HasSubstr("client = tx.client { ip = \"192.0.2.1\""));
}

TEST_F(ShellTest, ShowsVerdicts) {
  EXPECT_EQ(text_of("sp.reject(554, '5.7.1', 'Not here')"), "reject 554 5.7.1 Not here\n");
  EXPECT_EQ(text_of("sp.hit { score = 2, detail = 'a' }"), "hit, score 2, a\n");
  EXPECT_EQ(text_of("{ sp.hit() }"), "{ hit }\n");
}

TEST_F(ShellTest, KeepsGlobalsAndTheMailFromLineToLine) {
  EXPECT_EQ(text_of("a = 5 msg = tx.msg"), "");
  EXPECT_EQ(text_of("a + 1"), "6\n");
  EXPECT_EQ(text_of("msg:header('X-A')"), "1\n");
  EXPECT_EQ(text_of("tx.msg.subject"), "h\xc3\xa9llo\n");
  EXPECT_EQ(text_of("tx.from.addr"), "ann@example.org\n");
  EXPECT_EQ(text_of("require('helper').word"), "stored\n");
}

TEST_F(ShellTest, AnotherMailIsUsedFromTheNextLineOn) {
  EXPECT_EQ(
      text_of(
          "old = tx use(t.mail { from = 'eve@evil.example', headers = { Subject = 'other' } }) print(tx.from.addr)"),
      "ann@example.org\n");
  EXPECT_EQ(text_of("tx.from.addr .. tx.msg.subject"), "eve@evil.exampleother\n");
  EXPECT_THAT(error_of("old.from.addr"), HasSubstr("lua:1:"));
  EXPECT_THAT(error_of("use(1)"), HasSubstr("expected a mail, made by t.mail"));
}

TEST_F(ShellTest, AsksTheDnsOfTests) {
  EXPECT_EQ(text_of("sp.dns.a('a.example')"), "nil\tnil\tnxdomain\n");
  EXPECT_EQ(text_of("t.dns { ['a.example'] = { A = '192.0.2.1' } } print(sp.dns.a('a.example')[1])"), "192.0.2.1\n");
  EXPECT_EQ(text_of("sp.each({ 'a.example', 'b.example' }, sp.dns.a)"), "{ a.example = { \"192.0.2.1\" } }\tnil\n");
}

TEST_F(ShellTest, ReachesTheWorldOfTests) {
  EXPECT_EQ(text_of("sp.seen('a', 'b', '1h')"), "false\n");
  EXPECT_EQ(text_of("sp.seen('a', 'b', '1h')"), "true\t0\n");
  EXPECT_EQ(text_of("sp.http.get('https://a.example/')"), "nil\tnot_allowed\n");
  EXPECT_EQ(text_of("t.http { ['https://a.example/'] = { body = 'x' } } print(sp.http.get('https://a.example/').body)"),
            "x\n");
  EXPECT_EQ(text_of("sp.log('info', 'written')"), "log: written\ntrue\n");
  EXPECT_EQ(text_of("tx.msg:add_header('X-B', '2') tx.msg:remove_header('X-A')"),
            "header: adds X-B: 2\nheader: removes X-A\n");
  EXPECT_EQ(text_of("1"), "1\n") << "a line has changed nothing for the next";
}

TEST_F(ShellTest, RulesThatDoNotLoadAreTold) {
  write("bad.lua", "if then");
  Shell other(settings, {}, ordinary_mail());
  ASSERT_EQ(other.load_errors().size(), 1u);
  EXPECT_THAT(other.load_errors()[0].file, HasSubstr("bad.lua"));
  EXPECT_EQ(other.execute("tx.from").text, "ann@example.org\n");
}

TEST_F(ShellTest, RunsTheRules) {
  EXPECT_EQ(text_of("t.run('R', t.mail { headers = { Subject = 'stored' } }).score"), "2\n");
  EXPECT_THAT(error_of("t.run('S', t.mail {})"), HasSubstr("there is no rule 'S'"));
  EXPECT_EQ(error_of("t.equal(1, 2)"), "expected 2, got 1");
}

TEST_F(ShellTest, ATextMayGoOn) {
  EXPECT_EQ(shell->execute("for i = 1, 2 do").kind, Kind::unfinished);
  EXPECT_EQ(shell->execute("x = (1 +").kind, Kind::unfinished);
  EXPECT_EQ(shell->execute("[[a").kind, Kind::unfinished);
  EXPECT_EQ(shell->execute("1 +").kind, Kind::unfinished);
  EXPECT_EQ(text_of("x = (1 +\n2) print(x)"), "3\n");
}

TEST_F(ShellTest, SaysWhatIsWrongAndGoesOn) {
  EXPECT_THAT(error_of("x = * 1"), HasSubstr("lua:1: unexpected symbol near '*'"));
  EXPECT_THAT(error_of("nothing.x = 1"), HasSubstr("lua:1: attempt to index a nil value (global 'nothing')"));
  EXPECT_THAT(error_of("tx.clent"), HasSubstr("did you mean"));
  EXPECT_THAT(error_of("error({})"), HasSubstr("an error that is not a text"));
  EXPECT_THAT(error_of("while true do end"), HasSubstr("longer than 5 s"));
  EXPECT_THAT(error_of("local x = {} for i = 1, 1e9 do x[i] = ('x'):rep(1e6 + i) end"), HasSubstr("256 MiB"));
  EXPECT_THAT(error_of("local function f() return 1 + f() end f()"), HasSubstr("too deeply"));
  EXPECT_THAT(error_of("coroutine.yield()"), Not(HasSubstr("did not")));
  EXPECT_THAT(error_of("while true do print(('x'):rep(1000)) end"), HasSubstr("1 MiB"));
  EXPECT_EQ(text_of("1"), "1\n");
}

TEST_F(ShellTest, ReachesNothingOutside) {
  for (const std::string name :
       {"io", "debug", "package", "load", "dofile", "collectgarbage", "os.execute", "os.getenv"}) {
    EXPECT_EQ(text_of(name), "nil\n") << name;
  }
}

}  // namespace
}  // namespace sallyport::lua
