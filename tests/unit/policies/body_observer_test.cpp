// A policy that looks at the body as it streams past: the whole way from observe_body() to its judge.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "policies/api/policy.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

// Refuses mail with a word in its body, wherever the octets are cut. What it finds it leaves as a rule's fact, as a
// policy of the tests has no field of its own.
class ForbiddenWord final : public Policy {
 public:
  explicit ForbiddenWord(std::string word) : word_(std::move(word)) {}

  std::string_view name() const override { return "forbidden_word"; }
  Mode mode() const override { return Mode::enforce; }
  bool gathers_at(Stage) const override { return false; }
  bool judges_at(Stage stage) const override { return stage == Stage::message; }
  Task<void> gather(Stage, const Transaction&, Facts&, const Surroundings&) const override { co_return; }

  Verdict judge(Stage, const Transaction&, const Facts& facts) const override {
    for (const RuleFact& fact : facts.rules.rules) {
      if (fact.rule == name()) return Verdict::reject("5.7.1", "Forbidden word");
    }
    return Verdict::none();
  }

  std::unique_ptr<BodyObserver> observe_body(const Transaction& mail) const override {
    if (mail.from && mail.from->is_null()) return nullptr;  // bounces are none of its business
    return std::make_unique<Observer>(word_);
  }

 private:
  class Observer final : public BodyObserver {
   public:
    explicit Observer(const std::string& word) : word_(word) {}
    void body(std::string_view octets) override {
      tail_ += octets;
      found_ = found_ || tail_.find(word_) != std::string::npos;
      if (tail_.size() >= word_.size()) tail_.erase(0, tail_.size() - word_.size() + 1);
    }
    void end(Facts& facts) override {
      if (!found_) return;
      RuleFact fact;
      fact.rule = "forbidden_word";
      facts.rules.rules.push_back(fact);
    }

   private:
    std::string word_;
    std::string tail_;
    bool found_ = false;
  };

  std::string word_;
};

Verdict verdict_on(const std::string& body, std::size_t piece) {
  const ForbiddenWord policy("secret");
  Transaction mail = mail_of("192.0.2.1");
  mail.from = address("ann", "example.org");
  Facts facts;
  auto observer = policy.observe_body(mail);
  for (std::size_t at = 0; at < body.size(); at += piece) observer->body(std::string_view(body).substr(at, piece));
  observer->end(facts);
  return policy.judge(Stage::message, mail, facts);
}

TEST(BodyObserver, SeesTheBodyInPiecesOfAnySize) {
  for (std::size_t piece = 1; piece < 30; ++piece) {
    EXPECT_EQ(verdict_on("this is a secret\r\n", piece).action, Action::reject) << piece;
    EXPECT_EQ(verdict_on("this is a sec ret\r\n", piece).action, Action::none) << piece;
  }
}

TEST(BodyObserver, IsGivenOnlyForMailThatItsPolicyLooksAt) {
  const ForbiddenWord policy("secret");
  Transaction bounce = mail_of("192.0.2.1");
  bounce.from = EnvelopeAddress{};
  EXPECT_EQ(policy.observe_body(bounce), nullptr);
}

}  // namespace
}  // namespace sallyport::policies
