#include "policies/arc/arc.h"

#include <utility>

#include "policies/api/key_questions.h"

namespace sallyport::policies {

namespace {

class BodyHashes final : public BodyObserver {
 public:
  explicit BodyHashes(const std::vector<signature::BodyForm>& forms) : hasher_(forms) {}

  void body(std::string_view octets) override { hasher_.feed(octets); }
  void end(Facts& facts) override {
    facts.arc.body_hashes.clear();
    for (signature::BodyHash& hash : hasher_.finish()) facts.arc.body_hashes.push_back(as_fact(std::move(hash)));
  }

 private:
  signature::BodyHasher hasher_;
};

}  // namespace

std::unique_ptr<BodyObserver> ArcPolicy::observe_body(const Transaction& mail) const {
  const std::vector<signature::BodyForm> forms = ArcValidator::body_forms(mail.message->header());
  if (forms.empty()) return nullptr;
  return std::make_unique<BodyHashes>(forms);
}

Task<void> ArcPolicy::gather(Stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  co_await validator_->validate(mail, facts.arc, around);
  facts.arc.checked = true;
}

Verdict ArcPolicy::judge(Stage, const Transaction&, const Facts& facts) const {
  return judge_arc(facts.arc, settings_);
}

}  // namespace sallyport::policies
