#include "policies/arc/arc.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "policies/arc/sealer.h"
#include "policies/arc/validator.h"

namespace sallyport::policies {

namespace {

// Survives a reload: reading a key costs as much as verifying with it.
struct ArcKeys : signature::KeyCache {
  ArcKeys() : KeyCache(ArcValidator::cached_keys) {}
};

class ArcGathering final : public Gathering {
 public:
  // `sealer` is null where nothing is sealed.
  ArcGathering(const ArcValidator& validator, const ArcSealer* sealer) : validator_(validator), sealer_(sealer) {}

  std::vector<signature::BodyForm> body_forms(const Transaction& mail) override {
    chain_ = signature::read_arc_chain(mail.message->header());
    std::vector<signature::BodyForm> forms = ArcValidator::body_forms(*chain_);
    // Only the end of the mail shows whether we change it; by then the body has passed.
    if (sealer_ != nullptr) forms.push_back(sealer_->body_form());
    return forms;
  }

  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    signature::ArcChain chain = chain_ ? std::move(*chain_) : signature::read_arc_chain(mail.message->header());
    chain_.reset();
    ArcFacts found = co_await validator_.validate(mail, std::move(chain), context);
    facts.put(std::move(found));
  }

 private:
  const ArcValidator& validator_;
  const ArcSealer* sealer_;
  std::optional<signature::ArcChain> chain_;  // it looks into the mail's header
};

class ArcGatherer final : public Gatherer {
 public:
  ArcGatherer(const ArcSettings& settings, const GathererParts& parts, std::optional<ArcSealer> sealer)
      : validator_(settings, parts.learned.of<ArcKeys>()), sealer_(std::move(sealer)) {}

  bool gathers_at(Stage stage) const override { return stage == Stage::message; }
  std::unique_ptr<Gathering> begin() const override {
    return std::make_unique<ArcGathering>(validator_, sealer_ ? &*sealer_ : nullptr);
  }
  const MailSealer* sealer() const override { return sealer_ ? &*sealer_ : nullptr; }

 private:
  ArcValidator validator_;
  std::optional<ArcSealer> sealer_;
};

Result<std::unique_ptr<Gatherer>> prepare(const void* of, const GathererParts& parts) {
  const ArcSettings& settings = *static_cast<const ArcSettings*>(of);
  std::optional<ArcSealer> sealer;
  if (!settings.seal.key_file.empty()) {
    auto read = ArcSealer::read(settings.seal);
    if (!read) return Failure{"the key of the seal: " + read.error().message};
    sealer.emplace(std::move(*read));
  }
  return std::unique_ptr<Gatherer>(std::make_unique<ArcGatherer>(settings, parts, std::move(sealer)));
}

}  // namespace

constinit const PolicyEntry arc_entry{
    .name = "arc",
    .settings = arc_section,
    .mode = mode_of<ArcSettings>,
    .facts = arc_facts,
    .prepare = prepare,
    .judge = judge_with<ArcSettings, judge_arc>,
    .explain = explain_with<ArcSettings, explain_arc>,
    .auth_results = arc_auth_results,
};

}  // namespace sallyport::policies
