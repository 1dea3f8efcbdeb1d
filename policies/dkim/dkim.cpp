#include "policies/dkim/dkim.h"

#include <utility>

#include "policies/api/key_questions.h"

namespace sallyport::policies {

namespace {

class BodyHashes final : public BodyObserver {
 public:
  explicit BodyHashes(const std::vector<signature::BodyForm>& forms) : hasher_(forms) {}

  void body(std::string_view octets) override { hasher_.feed(octets); }
  void end(Facts& facts) override {
    facts.dkim.body_hashes.clear();
    for (signature::BodyHash& hash : hasher_.finish()) facts.dkim.body_hashes.push_back(as_fact(std::move(hash)));
  }

 private:
  signature::BodyHasher hasher_;
};

}  // namespace

std::unique_ptr<BodyObserver> DkimPolicy::observe_body(const Transaction& mail) const {
  const std::vector<signature::BodyForm> forms = verifier_->body_forms(mail.message->header());
  if (forms.empty()) return nullptr;
  return std::make_unique<BodyHashes>(forms);
}

Task<void> DkimPolicy::gather(Stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  co_await verifier_->verify(mail, facts.dkim, around);
  facts.dkim.checked = true;
}

Verdict DkimPolicy::judge(Stage, const Transaction&, const Facts& facts) const {
  return judge_dkim(facts.dkim, settings_);
}

}  // namespace sallyport::policies
