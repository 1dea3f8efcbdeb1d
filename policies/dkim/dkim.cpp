#include "policies/dkim/dkim.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "policies/dkim/verifier.h"

namespace sallyport::policies {

namespace {

// Survives a reload: reading a key costs as much as verifying with it.
struct DkimKeys : signature::KeyCache {
  DkimKeys() : KeyCache(DkimVerifier::cached_keys) {}
};

class DkimGathering final : public Gathering {
 public:
  explicit DkimGathering(const DkimVerifier& verifier) : verifier_(verifier) {}

  std::vector<signature::BodyForm> body_forms(const Transaction& mail) override {
    signatures_ = verifier_.read_signatures(mail.message->header());
    return DkimVerifier::body_forms(*signatures_);
  }

  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    std::vector<signature::Signature> signatures =
        signatures_ ? std::move(*signatures_) : verifier_.read_signatures(mail.message->header());
    signatures_.reset();
    DkimFacts found = co_await verifier_.verify(mail, std::move(signatures), context);
    facts.put(std::move(found));
  }

 private:
  const DkimVerifier& verifier_;
  std::optional<std::vector<signature::Signature>> signatures_;  // they look into the mail's header
};

class DkimGatherer final : public Gatherer {
 public:
  DkimGatherer(const DkimSettings& settings, const GathererParts& parts)
      : verifier_(settings, parts.suffixes, parts.learned.of<DkimKeys>()) {}

  bool gathers_at(Stage stage) const override { return stage == Stage::message; }
  std::unique_ptr<Gathering> begin() const override { return std::make_unique<DkimGathering>(verifier_); }

 private:
  DkimVerifier verifier_;
};

Result<std::unique_ptr<Gatherer>> prepare(const void* settings, const GathererParts& parts) {
  return std::unique_ptr<Gatherer>(std::make_unique<DkimGatherer>(*static_cast<const DkimSettings*>(settings), parts));
}

}  // namespace

constinit const PolicyEntry dkim_entry{
    .name = "dkim",
    .settings = dkim_section,
    .mode = mode_of<DkimSettings>,
    .facts = dkim_facts,
    .prepare = prepare,
    .judge = judge_with<DkimSettings, judge_dkim>,
    .explain = explain_with<DkimSettings, explain_dkim>,
    .auth_results = dkim_auth_results,
};

}  // namespace sallyport::policies
