// Mail that we change leaves with our seal on it (RFC 8617, 5.1), and no other.
#include <gtest/gtest.h>

#include "policies/arc/arc.h"
#include "policies/arc/sealer.h"
#include "tests/support/signing_keys.h"
#include "tests/support/whole_mail.h"
#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

// Marks every mail in its subject.
class Marker final : public policies::Policy {
 public:
  std::string_view name() const override { return "marker"; }
  policies::Mode mode() const override { return policies::Mode::enforce; }
  bool gathers_at(policies::Stage) const override { return false; }
  bool judges_at(policies::Stage stage) const override { return stage == policies::Stage::message; }
  Task<void> gather(policies::Stage, const policies::Transaction&, policies::Facts&,
                    const policies::Surroundings&) const override {
    co_return;
  }
  policies::Verdict judge(policies::Stage, const policies::Transaction&, const policies::Facts&) const override {
    policies::Verdict verdict;
    verdict.action = policies::Action::tag;
    verdict.subject_prefix = "[list] ";
    return verdict;
  }
};

class Sealing : public testing::Test, protected World {
 protected:
  Sealing() {
    resolver.zone().txt("arc1._domainkey.gateway.example", support::key_record(support::ed25519_key()));
    auto made = policies::ArcSealer::make({"gateway.example", "arc1", "arc.key"}, support::ed25519_key_pem());
    sealer_ = std::make_unique<policies::ArcSealer>(std::move(made).value());
  }

  // One mail through the gateway; gives it as the upstream has stored it.
  std::string relay(const std::string& content) {
    greet();
    host->sealer = sealer_.get();
    say("MAIL FROM:<ann@example.org>\r\n");
    say("RCPT TO:<bob@example.com>\r\n");
    say("DATA\r\n");
    say(content + ".\r\n");
    return upstream.stored.empty() ? std::string() : upstream.stored.back().content;
  }
  void check_arc() { policies.push_back(std::make_unique<policies::ArcPolicy>(policies::ArcSettings())); }
  void mark() { policies.push_back(std::make_unique<Marker>()); }

  // What the next server finds of the chain.
  policies::ArcFacts validate(const std::string& octets) {
    const policies::ArcPolicy policy{policies::ArcSettings()};
    support::WholeMail mail(octets);
    policies::Facts facts;
    const policies::Surroundings around{loop.scheduler(), resolver, counters, log,
                                        loop.now() + std::chrono::seconds(20)};
    if (auto observer = policy.observe_body(mail.transaction())) {
      observer->body(mail.body());
      observer->end(facts);
    }
    loop.run_until_done(policy.gather(policies::Stage::message, mail.transaction(), facts, around));
    return facts.arc;
  }

 private:
  std::unique_ptr<policies::ArcSealer> sealer_;
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
  mark();
  EXPECT_EQ(relay(content).find("ARC-Seal"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::session
