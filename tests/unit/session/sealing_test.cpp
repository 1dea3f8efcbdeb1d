// Mail that we change leaves with our seal on it (RFC 8617, 5.1), and no other.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "policies/arc/arc.h"
#include "tests/support/signing_keys.h"
#include "tests/unit/arc/validated_mail.h"
#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

// Marks every mail in its subject.
class Marker final : public TestPolicy {
 public:
  std::string_view name() const override { return "marker"; }
  void judge(policies::Stage stage, const policies::Transaction&, const policies::Facts&,
             policies::Verdicts& out) const override {
    if (stage != policies::Stage::message) return;
    policies::Verdict verdict;
    verdict.action = policies::Action::tag;
    verdict.subject_prefix = "[list] ";
    out.add(std::move(verdict));
  }
};

// Says of every mail that its chain need not be looked at.
class Friend final : public TestPolicy {
 public:
  std::string_view name() const override { return "friend"; }
  void judge(policies::Stage stage, const policies::Transaction&, const policies::Facts&,
             policies::Verdicts& out) const override {
    if (stage != policies::Stage::mail) return;
    policies::Verdict verdict;
    verdict.action = policies::Action::accept;
    verdict.skip = {"arc"};
    out.add(std::move(verdict));
  }
};

// The key that we seal with, in a file.
std::string key_file() {
  std::string name = testing::TempDir() + "sealing_test_arc.key";
  std::ofstream(name) << support::ed25519_key_pem();
  std::filesystem::permissions(name, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return name;
}

class Sealing : public testing::Test, protected World {
 protected:
  Sealing() {
    resolver.zone().txt("arc1._domainkey.gateway.example", support::key_record(support::ed25519_key()));
    settings.policy.edit(policies::arc_section).seal = {"gateway.example", "arc1", key_file()};
  }

  // One mail through the gateway; gives it as the upstream has stored it.
  std::string relay(const std::string& content) {
    greet();
    say("MAIL FROM:<ann@example.org>\r\n");
    say("RCPT TO:<bob@example.com>\r\n");
    say("DATA\r\n");
    say(content + ".\r\n");
    return upstream.stored.empty() ? std::string() : upstream.stored.back().content;
  }
  void check_arc() { add(policies::arc_entry); }
  void mark() { add(std::make_unique<Marker>()); }

  // What the next server finds of the chain.
  policies::ArcFacts validate(const std::string& octets) {
    return policies::ArcWorld(resolver.zone()).validate(octets);
  }
};

constexpr const char* content = "From: Ann <ann@example.org>\r\nSubject: hello\r\n\r\nHello.\r\n";

TEST_F(Sealing, AMailWhoseSubjectIsMarkedIsSealed) {
  check_arc();
  mark();
  const std::string stored = relay(content);
  EXPECT_TRUE(stored.find("\r\nARC-Seal: ") < stored.find("\r\nReceived: ")) << stored;
  EXPECT_NE(stored.find("\r\nSubject: [list] hello\r\n"), std::string::npos) << stored;
  const policies::ArcFacts arc = validate(stored);
  EXPECT_EQ(arc.result, policies::AuthResult::pass) << arc.reason;
  ASSERT_EQ(arc.sets.size(), 1u);
  EXPECT_EQ(arc.sets[0].seal_domain, "gateway.example");
  EXPECT_NE(arc.sets[0].results.find("arc=none"), std::string::npos) << arc.sets[0].results;
}

TEST_F(Sealing, AChainIsCarriedOn) {
  check_arc();
  mark();
  const std::string once = relay(content);
  say("MAIL FROM:<ann@example.org>\r\n");
  say("RCPT TO:<bob@example.com>\r\n");
  say("DATA\r\n");
  say(once + ".\r\n");
  const policies::ArcFacts arc = validate(upstream.stored.back().content);
  EXPECT_EQ(arc.result, policies::AuthResult::pass) << arc.reason;
  EXPECT_EQ(arc.sets.size(), 2u);
}

TEST_F(Sealing, AMailThatIsNotChangedIsNotSealed) {
  check_arc();
  EXPECT_EQ(relay(content).find("ARC-Seal"), std::string::npos);
}

TEST_F(Sealing, AMailThatLosesAForgedFieldIsSealed) {
  check_arc();
  const std::string stored = relay(std::string("X-Sallyport-Verdict: clean\r\n") + content);
  EXPECT_TRUE(stored.find("\r\nARC-Seal: ") < stored.find("\r\nReceived: ")) << stored;
}

TEST_F(Sealing, AChainThatWasNotLookedAtIsNotCarriedOn) {
  add(std::make_unique<Friend>());
  check_arc();
  mark();
  const std::string stored = relay(content);
  EXPECT_NE(stored.find("\r\nSubject: [list] hello\r\n"), std::string::npos) << stored;
  EXPECT_EQ(stored.find("ARC-Seal"), std::string::npos) << stored;
}

}  // namespace
}  // namespace sallyport::session
