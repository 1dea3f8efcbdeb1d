#include "policies/milters/milters.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "policies/milters/gathering.h"
#include "policies/milters/pool.h"

namespace sallyport::policies {

namespace {

class MiltersGatherer final : public Gatherer {
 public:
  MiltersGatherer(const MiltersSettings& settings, const MilterServices& services, std::string hostname)
      : settings_(settings), services_(services), hostname_(std::move(hostname)) {}

  bool gathers_at(Stage stage) const override {
    return services_.pool != nullptr && stage != Stage::headers && stage != Stage::done;
  }
  // A milter may refuse a connection, and what it says of the connection it has to have said before the greeting.
  bool precedes_greeting() const override { return true; }
  std::unique_ptr<Gathering> begin() const override { return begin_mail(nullptr); }
  std::unique_ptr<Gathering> begin_mail(Gathering* of_connection) const override {
    return std::make_unique<MiltersGathering>(settings_, services_, hostname_,
                                              static_cast<MiltersGathering*>(of_connection));
  }

 private:
  const MiltersSettings settings_;
  const MilterServices& services_;  // the composition root may still fill it in
  const std::string hostname_;
};

Result<std::unique_ptr<Gatherer>> prepare(const void* settings, const GathererParts& parts) {
  return std::unique_ptr<Gatherer>(std::make_unique<MiltersGatherer>(
      *static_cast<const MiltersSettings*>(settings), parts.learned.of<MilterServices>(), parts.own.hostname));
}

// Off without a milter that takes part; each has a mode of its own, which its verdicts go by.
Mode mode_of_all(const void* settings) {
  const auto& all = *static_cast<const MiltersSettings*>(settings);
  const bool has_one = std::any_of(all.milters.begin(), all.milters.end(),
                                   [&all](const MilterSettings& milter) { return all.mode_of(milter) != Mode::off; });
  return has_one ? Mode::enforce : Mode::off;
}

}  // namespace

constinit const PolicyEntry milters_entry{
    .name = "milters",
    .settings = milters_section,
    .mode = mode_of_all,
    .facts = milters_facts,
    .prepare = prepare,
    .phase = GatherPhase::outside,
    .judge = judge_with<MiltersSettings, judge_milters>,
    .explain = explain_with<MiltersSettings, explain_milters>,
};

}  // namespace sallyport::policies
