// The rules that are shipped in lua/rules, each with what it is there for and what it must leave alone.
#include "lua/engine/shipped_rules.h"
#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {
namespace {

using Kind = RunResult::Kind;
using testing::ElementsAre;
using testing::Pair;

class ShippedRules : public RulesTest {
 protected:
  ShippedRules() {
    settings.path = "lua/rules";
    load();
  }

  RunResult run_rule(const std::string& name) {
    for (const Rule& rule : rules->rules()) {
      if (rule.name == name) return rules->run(rule, mail, facts);
    }
    ADD_FAILURE() << "no rule " << name;
    return {};
  }
  RunResult with_subject(const std::string& subject) {
    set_message("Subject: " + subject + "\r\n\r\n");
    return run_rule("SUBJECT_WORDS");
  }
};

TEST_F(ShippedRules, SubjectWords) {
  RunResult result = with_subject("Cheap V1agra here");
  EXPECT_EQ(result.fact.score, 2.5);
  EXPECT_EQ(result.fact.detail, "pharmacy");
  EXPECT_EQ(with_subject("v.i.a.g.r.a").fact.detail, "pharmacy");
  EXPECT_EQ(with_subject("buy v i a g r a now").fact.detail, "pharmacy");
  result = with_subject("You won: LOTTERY winner of 5 million dollars");
  EXPECT_EQ(result.fact.detail, "advance_fee,lottery");
  EXPECT_EQ(result.fact.score, 5);
  EXPECT_EQ(with_subject("Your mailbox will be deactivated").fact.detail, "account_scare");
}

TEST_F(ShippedRules, SubjectWordsLeavesOthersAlone) {
  for (const char* subject : {"Minutes of Monday", "Specialist wanted", "A e i o u", "Password policy", ""}) {
    EXPECT_EQ(with_subject(subject).kind, Kind::silent) << subject;
  }
  set_message("From: ann@example.org\r\n\r\n");
  EXPECT_EQ(run_rule("SUBJECT_WORDS").kind, Kind::silent);
}

TEST_F(ShippedRules, OwnDomainFromOutside) {
  set_message("From: Boss <boss@EXAMPLE.com>\r\n\r\n");
  const RunResult result = run_rule("OWN_DOMAIN_FROM_OUTSIDE");
  EXPECT_EQ(result.kind, Kind::verdict);
  EXPECT_EQ(result.fact.detail, "example.com");
  EXPECT_EQ(result.fact.score, 4);
  EXPECT_TRUE(result.fact.shadow);
}

TEST_F(ShippedRules, OwnDomainFromOutsideLeavesOthersAlone) {
  for (const char* header : {"From: ann@example.org\r\n\r\n", "From: nobody\r\n\r\n", "Subject: x\r\n\r\n"}) {
    set_message(header);
    EXPECT_EQ(run_rule("OWN_DOMAIN_FROM_OUTSIDE").kind, Kind::silent) << header;
  }
}

TEST_F(ShippedRules, PlainConnection) {
  set_message("Subject: x\r\n\r\n");
  EXPECT_THAT(run_rule("PLAIN_CONNECTION").fact.add_headers, ElementsAre(Pair("X-Connection", "no-tls")));
  mail.client.helo = "[192.0.2.7]";
  EXPECT_THAT(run_rule("PLAIN_CONNECTION").fact.add_headers, ElementsAre(Pair("X-Connection", "no-tls, address-helo")));
  mail.client.tls = policies::TlsFacts{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "", false, false, ""};
  EXPECT_THAT(run_rule("PLAIN_CONNECTION").fact.add_headers, ElementsAre(Pair("X-Connection", "address-helo")));
  mail.client.helo = "mail.example.org";
  EXPECT_EQ(run_rule("PLAIN_CONNECTION").kind, Kind::silent);
}

TEST_F(ShippedRules, StayWithinTheirBudgetOnLongSubjects) {
  for (const char* piece : {"v i a g r a ", "lottery ", "account ", "a.b.c.", "million "}) {
    std::string subject;
    while (subject.size() < 60'000) subject += piece;
    const RunResult result = with_subject(subject);
    EXPECT_TRUE(result.kind == Kind::verdict || result.kind == Kind::silent) << piece;
  }
}

// -- switched on by name

class ShippedByName : public RulesTest {};

TEST_F(ShippedByName, StandAfterThoseOfThePath) {
  settings.shipped = {"EXTERNAL_TAG", "MASS_BCC"};
  write("own.lua", rule_text(""));
  load();
  ASSERT_EQ(rules->rules().size(), 3u);
  EXPECT_EQ(rules->rules()[0].name, "r");
  EXPECT_EQ(rules->rules()[1].name, "EXTERNAL_TAG");
  EXPECT_EQ(rules->rules()[1].file, "shipped/external_tag.lua");
  settings.path.clear();
  load();
  EXPECT_EQ(rules->rules().size(), 2u);
}

TEST_F(ShippedByName, MustBeThere) {
  settings.shipped = {"EXTERNAL_TAGS", "x"};
  EXPECT_THAT(load_errors(),
              ElementsAre(testing::HasSubstr("there is no shipped rule 'EXTERNAL_TAGS'; did you mean 'EXTERNAL_TAG'?"),
                          testing::HasSubstr("there is no shipped rule 'x'")));
}

TEST_F(ShippedByName, AreAllOfTheFolderAndCalledAsTheirRules) {
  for (const ShippedRule& shipped : shipped_rules()) {
    settings.path.clear();
    settings.shipped = {std::string(shipped.name)};
    load();
    ASSERT_EQ(rules->rules().size(), 1u) << shipped.name;
    EXPECT_EQ(rules->rules()[0].name, shipped.name);
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("lua/rules")) {
    const std::string name = entry.path().filename();
    if (!name.ends_with("_test.lua")) ++files;
  }
  EXPECT_EQ(shipped_rules().size(), files);
}

TEST_F(ShippedByName, ReadTheirSettings) {
  settings.lists["NAMES"].entries = {"Ann", "Bob"};
  const std::string source =
      "local sp = require 'sallyport'\nlocal names, other = sp.setting('NAMES'), sp.setting('OTHER', { 'x' })\n"
      "local none = sp.setting('NONE')\nsp.rule { name = 'r', stage = 'message', run = function(tx) "
      "return sp.hit { detail = table.concat(names, ',') .. ' ' .. other[1] .. ' ' .. #none } end }";
  write("r.lua", source);
  load();
  EXPECT_EQ(run().fact.detail, "Ann,Bob x 0");
  EXPECT_EQ(run_body("return sp.setting('NAMES') and true").kind, Kind::error);  // only while a file loads
}

}  // namespace
}  // namespace sallyport::lua
