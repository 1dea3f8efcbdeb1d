// What rules change: the header, the mail's way, and what other checks do; and what they may not.
#include "tests/unit/lua/fixture.h"

#include "lua/engine/rules_entry.h"

namespace sallyport::lua {
namespace {

using policies::Action;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;
using Kind = RunResult::Kind;

class RuleChanges : public RulesTest {
 protected:
  RuleChanges() { set_message("X-Old: 1\r\nx-old: 2\r\n\r\n"); }
  static std::vector<std::string> edits_of(const RunResult& result) {
    std::vector<std::string> edits;
    for (const policies::HeaderEdit& edit : result.fact.header_edits) {
      edits.push_back(edit.name + " " + std::to_string(edit.which) + (edit.value ? "=" + *edit.value : ""));
    }
    return edits;
  }
};

TEST_F(RuleChanges, AreCollectedInTheirOrder) {
  const RunResult result = run_body(
      "tx.msg:add_header('X-A', '1') ; tx.msg:remove_header('X-Old', 2) ; tx.msg:replace_header('X-B', 'b\u00e9')\n"
      "tx.msg:remove_header('X-C') ; tx.msg:replace_header('X-D', '', 7)\n"
      "return sp.tag { header = 'X-Tag: t', subject_prefix = '[\u00c4] ' }");
  EXPECT_EQ(result.fact.answer, RuleAnswer::tag);
  EXPECT_THAT(result.fact.add_headers, ElementsAre(Pair("X-A", "1"), Pair("X-Tag", "t")));
  EXPECT_THAT(edits_of(result), ElementsAre("X-Old 2", "X-B 0=b\u00e9", "X-C 0", "X-D 7="));
  const policies::Verdict verdict = verdict_of(result.fact);
  EXPECT_EQ(verdict.action, Action::tag);
  EXPECT_EQ(verdict.header_edits.size(), 4u);
  EXPECT_EQ(verdict.subject_prefix, "[\u00c4] ");
}

TEST_F(RuleChanges, OfARuleThatReturnsNothingAreItsResult) {
  const RunResult result = run_body("tx.msg:remove_header('X-Old')");
  EXPECT_EQ(result.kind, Kind::verdict);
  EXPECT_EQ(result.fact.answer, RuleAnswer::change);
  const policies::Verdict verdict = verdict_of(result.fact);
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.score, 0);
  EXPECT_EQ(verdict.because, "");
  EXPECT_EQ(verdict.header_edits.size(), 1u);
  EXPECT_EQ(run().fact.header_edits.size(), 1u) << "of each run its own";
}

TEST_F(RuleChanges, OfARunThatFailsAreForgotten) {
  for (const char* end : {"error('x')", "return 'no verdict'", "while true do end", "return ('x'):rep(1 << 30)"}) {
    const RunResult result = run_body(std::string("tx.msg:add_header('X-A', '1') tx.msg:remove_header('X-B') ") + end);
    EXPECT_NE(result.kind, Kind::verdict) << end;
    EXPECT_THAT(result.fact.add_headers, IsEmpty()) << end;
    EXPECT_THAT(result.fact.header_edits, IsEmpty()) << end;
  }
  EXPECT_EQ(run_body("pcall(function() tx.msg:add_header('X-A', '1') error() end)").fact.add_headers.size(), 1u);
}

TEST_F(RuleChanges, AreBounded) {
  EXPECT_EQ(run_body("for i = 1, 50 do tx.msg:add_header('X-A', 'x') end").kind, Kind::verdict);
  EXPECT_EQ(run_body("for i = 1, 50 do tx.msg:add_header('X-A', 'x') end tx.msg:remove_header('X-A')").kind,
            Kind::error);
}

TEST_F(RuleChanges, AreErrorsOnceTheMailHasGone) {
  write("r.lua",
        "local sp = require 'sallyport'\n"
        "sp.rule { name = 'r', stage = 'done', run = function(tx) tx.msg:add_header('X-A', '1') end }");
  load();
  EXPECT_EQ(run().kind, Kind::error);
}

// L8, S37
TEST_F(RuleChanges, AreOfFieldsAndValuesThatMayBe) {
  const std::string many(901, 'x');
  for (const std::string& call : {std::string("add_header()"),
                                  std::string("add_header('X-A')"),
                                  std::string("add_header('X-A', 1)"),
                                  std::string("add_header('X-A', 'a\\r\\nBcc: b')"),
                                  std::string("add_header('X-A', 'a\\nb')"),
                                  std::string("add_header('X-A', 'a\\0b')"),
                                  std::string("add_header('X-A', '\\xff')"),
                                  std::string("add_header('X-A:', 'a')"),
                                  std::string("add_header('X A', 'a')"),
                                  std::string("add_header('', 'a')"),
                                  std::string("add_header('X-\\u{e9}', 'a')"),
                                  "add_header('X-A', '" + many + "')",
                                  std::string("add_header('X-A', 'a', 1)"),
                                  std::string("remove_header()"),
                                  std::string("remove_header('X A')"),
                                  std::string("remove_header('X-A', 0)"),
                                  std::string("remove_header('X-A', -1)"),
                                  std::string("remove_header('X-A', 1.5)"),
                                  std::string("remove_header('X-A', '1')"),
                                  std::string("remove_header('X-A', 1001)"),
                                  std::string("remove_header('X-A', 1, 1)"),
                                  std::string("replace_header('X-A')"),
                                  std::string("replace_header('X-A', nil)"),
                                  std::string("replace_header('X-A', 'a\\r\\n b')"),
                                  std::string("replace_header('X-A', 'a', 0)")}) {
    EXPECT_EQ(run_body("tx.msg:" + call).kind, Kind::error) << call;
  }
  for (const char* name : {"From", "SENDER", "Reply-To", "Subject", "Date", "Received", "DKIM-Signature",
                           "X-Sallyport-Verdict", "ARC-Seal", "Content-Type", "MIME-Version", "Resent-From",
                           "Authentication-Results", "Received-SPF", "Return-Path", "Message-ID"}) {
    const std::string quoted = "'" + std::string(name) + "'";
    EXPECT_EQ(run_body("tx.msg:add_header(" + quoted + ", 'x')").kind, Kind::error) << name;
    const Kind replaced = name == std::string_view("Subject") ? Kind::verdict : Kind::error;
    EXPECT_EQ(run_body("tx.msg:replace_header(" + quoted + ", 'x')").kind, replaced) << name;
    EXPECT_EQ(run_body("tx.msg:remove_header(" + quoted + ")").kind, Kind::error) << name;
    EXPECT_EQ(run_body("return sp.tag { header = { name = " + quoted + ", value = 'x' } }").kind, Kind::error) << name;
  }
}

TEST_F(RuleChanges, OtherVerdicts) {
  policies::Verdict verdict = verdict_of(run_body("return sp.quarantine { reason = 'odd' }").fact);
  EXPECT_EQ(verdict.action, Action::quarantine);
  EXPECT_EQ(verdict.because, "odd");
  EXPECT_EQ(verdict_of(run_body("return sp.quarantine()").fact).because, "quarantine");
  verdict = verdict_of(run_body("return sp.redirect { upstream = 'archive' }").fact);
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.redirect, "archive");
  verdict = verdict_of(run_body("return sp.override { check = 'dmarc', to = 'tag', reason = 'a list' }").fact);
  EXPECT_EQ(verdict.override_check, "dmarc");
  EXPECT_EQ(verdict.override_to, Action::tag);
  EXPECT_EQ(verdict.because, "a list");
  for (const char* wrong :
       {"sp.quarantine('x')", "sp.quarantine { why = 'x' }", "sp.redirect()", "sp.redirect {}", "sp.redirect('x')",
        "sp.redirect { upstream = 5 }", "sp.redirect { upstream = '' }", "sp.redirect { upstream = 'a b' }",
        "sp.redirect { upstream = 'a\\n' }", "sp.override {}", "sp.override { check = 'dmarc' }",
        "sp.override { to = 'tag' }", "sp.override { check = 'dmarc', to = 'reject' }",
        "sp.override { check = 'dmarc', to = 'drop' }", "sp.override { check = 'dmarc', to = 'discard' }",
        "sp.override { check = 'rules', to = 'tag' }", "sp.override { check = '', to = 'tag' }"}) {
    EXPECT_EQ(run_body("return " + std::string(wrong)).kind, Kind::error) << wrong;
  }
}

TEST_F(RuleChanges, UnknownNamesAreErrorsWhenTheFileLoads) {
  checks = {"dmarc", "spf"};
  write("a.lua", R"lua(local sp = require "sallyport"
local function f(x) return sp.redirect { upstream = "archve" }, sp.redirect { upstream = x }, sp.redirect({ upstream = "archive" }) end
local function g(x) return sp.override { to = "tag", check = "dmrc" }, sp.override { check = "spf", to = "tag" } end)lua");
  const auto loaded = RuleSet::load(settings, checks, nullptr, {"archive", "default"});
  ASSERT_FALSE(loaded);
  std::vector<std::string> errors;
  for (const LoadError& error : loaded.error()) errors.push_back(error.message);
  EXPECT_THAT(errors, ElementsAre("upstream: there is no upstream 'archve'; did you mean 'archive'?",
                                  "check: there is no check 'dmrc'; did you mean 'dmarc'?"));
  write("a.lua", "local sp = require 'sallyport'\nlocal made = sp.redirect { upstream = 'no' .. 'ne' }");
  const auto at_load = RuleSet::load(settings, checks, nullptr, {"archive"});
  ASSERT_FALSE(at_load);
  EXPECT_THAT(at_load.error().front().message, StartsWith("upstream: there is no upstream 'none'"));
}

}  // namespace
}  // namespace sallyport::lua
