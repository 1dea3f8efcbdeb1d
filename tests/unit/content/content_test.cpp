// The content policy: from the body's octets to facts and verdicts (threats.md M1-M10, M12, M14).
#include "policies/content/content.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/mime/contents.h"
#include "policies/content/problems.h"
#include "tests/support/random_fields.h"
#include "tests/support/whole_mail.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

const std::string author = "From: ann@a.example\r\n";

std::string mixed(const std::string& part) {
  return author + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + part +
         "\r\n--b--\r\n";
}

class ContentOfAMail : public testing::Test {
 protected:
  const ContentFacts& gather(const std::string& octets) {
    mail_ = std::make_unique<support::WholeMail>(octets);
    const std::unique_ptr<Gatherer> gatherer = world_.prepare(content_entry, settings_);
    EXPECT_TRUE(gatherer->gathers_at(Stage::message));
    const std::unique_ptr<Gathering> gathering = gatherer->begin();
    EXPECT_TRUE(gathering->wants_body(mail_->transaction()));
    const std::string& body = mail_->body();
    for (std::size_t i = 0; i < body.size(); i += 5) gathering->body(std::string_view(body).substr(i, 5));
    facts_ = Facts();
    world_.gather(*gathering, Stage::message, mail_->transaction(), facts_);
    return *facts_.find<ContentFacts>();
  }
  std::vector<Verdict> judge_now() {
    return judge(content_entry, Stage::message, mail_->transaction(), facts_, settings_);
  }

  // The verdict of this rule; one without a rule when it was not said.
  Verdict said(const std::string& octets, const std::string& rule) {
    gather(octets);
    for (Verdict& verdict : judge_now()) {
      if (verdict.rule == rule) return verdict;
    }
    return {};
  }

  PolicyWorld world_;
  ContentSettings settings_;
  std::unique_ptr<support::WholeMail> mail_;
  Facts facts_;
};

TEST_F(ContentOfAMail, IsInTheFactsWithoutItsText) {
  const ContentFacts& facts = gather(mixed("Content-Type: text/plain\r\n\r\nsecret words"));
  ASSERT_EQ(facts.tree.parts.size(), 2U);
  EXPECT_EQ(facts.tree.parts[1].size, 12U);
  EXPECT_EQ(facts_.to_json().find("secret"), std::string::npos);
  EXPECT_TRUE(judge_now().empty());
  EXPECT_EQ(explain_content(mail_->transaction(), facts_, settings_).result, "ok");
}

TEST_F(ContentOfAMail, IsToldToOthers) {
  gather(mixed("Content-Type: text/html\r\n\r\n<p>hello</p>"));
  const Findings findings = facts_.tell();
  ASSERT_NE(findings.parts, nullptr);
  ASSERT_NE(findings.contents, nullptr);
  EXPECT_EQ(findings.contents->text(*mail_->transaction().message, *findings.parts, 1), "hello\n");
  EXPECT_EQ(Facts().tell().parts, nullptr);
}

TEST_F(ContentOfAMail, WithoutABodyIsOnePart) {
  EXPECT_EQ(gather(author).tree.parts.size(), 1U);
  EXPECT_TRUE(judge_now().empty());
}

TEST_F(ContentOfAMail, ThatCannotAllBeReadIsRefused) {
  std::string deep = author;
  for (int i = 0; i < 40; ++i) deep += "Content-Type: message/rfc822\r\n\r\n";
  const Verdict verdict = said(deep, "mime_limit");
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.code, 550);
  EXPECT_EQ(verdict.dsn, "5.6.0");
  EXPECT_EQ(world_.counters.get(Violation::mime_limit), 1U);
  EXPECT_EQ(explain_content(mail_->transaction(), facts_, settings_).result, "unscannable");
  settings_.on_unscannable = ContentAction::tag;
  EXPECT_EQ(said(deep, "mime_limit").action, Action::tag);
  settings_.on_unscannable = ContentAction::quarantine;
  EXPECT_EQ(said(deep, "mime_limit").action, Action::quarantine);
  settings_.depth = 100;
  EXPECT_TRUE(said(deep, "mime_limit").rule.empty());
  settings_.parts = 10;
  EXPECT_EQ(said(deep, "mime_limit").action, Action::quarantine);
}

TEST_F(ContentOfAMail, WithFieldsThatContradictEachOtherIsRefused) {
  const std::string forms[] = {
      author + "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx",
      author + "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nx",
      author + "MIME-Version: 1.0\r\nMIME-Version: 2.0\r\n\r\nx",
      author + "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\nx\r\n--a--\r\n",
      mixed("Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx"),
  };
  for (const std::string& mail : forms) {
    const Verdict verdict = said(mail, "conflict");
    EXPECT_EQ(verdict.action, Action::reject) << mail;
    EXPECT_EQ(verdict.dsn, "5.6.0") << mail;
  }
  EXPECT_GT(world_.counters.get(Violation::dup_header), 0U);
  const std::string harmless[] = {
      author + "MIME-Version: 1.0\r\nMIME-Version: 1.0\r\n\r\nx",
      author + "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx",
      author + "Content-Type: text/plain\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nx",
      // Of a message that is attached: not its forwarder's fault.
      mixed("Content-Type: message/rfc822\r\n\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx"),
  };
  for (const std::string& mail : harmless) EXPECT_TRUE(said(mail, "conflict").rule.empty()) << mail;
  settings_.on_conflict = ContentAction::none;
  EXPECT_EQ(said(forms[0], "conflict").action, Action::none);
}

TEST_F(ContentOfAMail, WithAMalformedHeaderIsTagged) {
  EXPECT_EQ(said(author + "no field at all\r\n\r\nx", "header_malformed").action, Action::tag);
  EXPECT_EQ(said(author + "Subject : x\r\n\r\nx", "header_malformed").action, Action::tag);
  EXPECT_TRUE(said(author + "Subject: x\r\n y\r\n\r\nx", "header_malformed").rule.empty());
}

TEST_F(ContentOfAMail, ThatIsAPieceIsRefused) {
  const std::string piece = "Content-Type: message/partial; id=a; number=1; total=2\r\n\r\nx";
  EXPECT_EQ(said(author + piece, "partial").action, Action::reject);
  settings_.on_partial = ContentAction::none;
  EXPECT_EQ(said(author + piece, "partial").action, Action::none);
}

TEST_F(ContentOfAMail, ThatIsEncryptedIsTagged) {
  const std::string mail = author + "Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n";
  EXPECT_EQ(said(mail, "encrypted").action, Action::tag);
}

TEST_F(ContentOfAMail, ThatDeceivesCountsAsSet) {
  const std::string program =
      "Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\nf0VMRgIBAQA=";
  EXPECT_EQ(said(mixed(program), "type_mismatch").score, 2.0);
  const std::string names = "Content-Disposition: attachment; filename=a.txt; filename=b.exe\r\n\r\nx";
  EXPECT_EQ(said(mixed(names), "name_ambiguous").score, 0.0);
  settings_.score = 1.5;
  EXPECT_EQ(said(mixed(names), "name_ambiguous").score, 1.5);
  EXPECT_EQ(said(author + "Content-Type: text/plain\r\n\r\na\r\n--x\r\nContent-Type: text/html\r\n\r\nb\r\n--x--\r\n",
                 "mime_ambiguous")
                .score,
            1.5);
  EXPECT_EQ(said(author + "Subject: a\r\nSubject: b\r\n\r\nx", "dup_header").because, "more than once: Subject");
}

TEST_F(ContentOfAMail, IsRecordedOnceForEachKind) {
  std::string mail = author + "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 5; ++i)
    mail += "--b\r\nContent-Disposition: attachment; filename=a.txt; filename=b.exe\r\n\r\nx\r\n";
  gather(mail + "--b--\r\n");
  EXPECT_EQ(world_.counters.get(Violation::name_ambiguous), 1U);
}

// Other sessions have their turn while readings are followed, and the mail's time ends that.
TEST_F(ContentOfAMail, GivesTheLoopAwayWhileItReadsAgain) {
  const std::string megabyte = [] {
    std::string lines;
    while (lines.size() < (std::size_t{2} << 20))
      lines += "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAx\r\n";
    return lines;
  }();
  const Time before = world_.loop.now();
  gather(mixed("Content-Transfer-Encoding: base64, quoted-printable\r\n\r\n" + megabyte));
  EXPECT_GT(world_.loop.now() - before, std::chrono::milliseconds(2));
}

TEST(ContentFactsAsJson, GoThereAndBack) {
  support::RandomFields random(77);
  for (int i = 0; i < 200; ++i) {
    const ContentFacts facts = random.make<ContentFacts>();
    const std::string json = content_facts.to_json(&facts);
    const auto read = content_facts.from_json(*JsonValue::parse(json));
    ASSERT_TRUE(read) << json;
    EXPECT_EQ(content_facts.to_json(read->get()), json);
  }
}

}  // namespace
}  // namespace sallyport::policies
