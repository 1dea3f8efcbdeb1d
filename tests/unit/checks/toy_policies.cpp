#include "tests/unit/checks/toy_policies.h"

#include <algorithm>

namespace sallyport::policies {

constexpr FactsType toy_facts = facts_type<checks::ToyFacts>("toy");
constexpr FactsType other_facts = facts_type<checks::OtherFacts>("other");

}  // namespace sallyport::policies

namespace sallyport::checks {

using policies::Facts;
using policies::Stage;
using policies::Transaction;
using policies::Verdict;

namespace {

template <class F>
class ToyGathering final : public policies::Gathering {
 public:
  explicit ToyGathering(const ToySettings& settings) : settings_(settings) {}

  Task<void> gather(Stage stage, const Transaction&, Facts& facts, const policies::GatherContext&) override {
    F found = facts.get<F>();
    if (stage == Stage::mail) found.asked.emplace_back("mail");
    for (const std::string& name : settings_.ask) {
      const bool is_known = std::find(found.asked.begin(), found.asked.end(), name) != found.asked.end();
      if (stage == Stage::connect && !is_known) found.asked.push_back(name);
    }
    facts.put(std::move(found));
    co_return;
  }

 private:
  const ToySettings& settings_;
};

template <class F>
class ToyGatherer final : public policies::Gatherer {
 public:
  explicit ToyGatherer(const ToySettings& settings) : settings_(settings) {}

  bool gathers_at(Stage stage) const override {
    return (stage == Stage::connect && !settings_.ask.empty()) || (stage == Stage::mail && settings_.asks_at_mail);
  }
  std::unique_ptr<policies::Gathering> begin() const override { return std::make_unique<ToyGathering<F>>(settings_); }

 private:
  const ToySettings& settings_;
};

template <class S, class F>
Result<std::unique_ptr<policies::Gatherer>> prepare(const void* settings, const policies::GathererParts&) {
  return std::unique_ptr<policies::Gatherer>(std::make_unique<ToyGatherer<F>>(*static_cast<const S*>(settings)));
}

void judge(Stage stage, const Transaction& mail, const Facts&, const ToySettings& settings, policies::Verdicts& out) {
  if (stage == Stage::mail && settings.rejects_at_mail) out.add(Verdict::reject("5.7.1", "Not at MAIL"));
  if (stage == Stage::rcpt && mail.rcpt->local == settings.refuses_user) out.add(Verdict::reject("5.7.1", "Not him"));
  if (stage == Stage::message) out.add(Verdict::scored(settings.score, "as told"));
}

void judge_other(Stage stage, const Transaction& mail, const Facts& facts, const OtherSettings& settings,
                 policies::Verdicts& out) {
  judge(stage, mail, facts, settings, out);
}

}  // namespace

const settings::SectionOf<ToySettings> toy_section{"policy.toy", {}};
const settings::SectionOf<OtherSettings> other_section{"policy.other", {}};
const policies::PolicyEntry toy_entry{.name = "toy",
                                      .settings = toy_section,
                                      .mode = policies::mode_of<ToySettings>,
                                      .facts = policies::toy_facts,
                                      .prepare = prepare<ToySettings, ToyFacts>,
                                      .judge = policies::judge_with<ToySettings, judge>};
const policies::PolicyEntry other_entry{.name = "other",
                                        .settings = other_section,
                                        .mode = policies::mode_of<OtherSettings>,
                                        .facts = policies::other_facts,
                                        .prepare = prepare<OtherSettings, OtherFacts>,
                                        .judge = policies::judge_with<OtherSettings, judge_other>};

namespace {

constexpr const settings::Section* sections[] = {&toy_section, &other_section, &policies::actions_section};
constexpr const policies::PolicyEntry* entries[] = {&toy_entry, &other_entry};

}  // namespace

class Tenants::Unlimited final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string, Rate) override { co_return io::RateAnswer{}; }
};

Tenants::Tenants() : common_(sections), rates_(std::make_shared<Unlimited>()) {}

settings::Set& Tenants::add(const std::string& name, const std::string& domain) {
  settings::Set& set = sets_.emplace(name, common_).first->second;
  tenants_.push_back({name, {domain}, "default", &set});
  return set;
}

std::shared_ptr<const WorkerPlans> Tenants::prepare() {
  auto prepared = WorkerPlans::prepare(make_plans(common_, tenants_, entries), {learned_, *rates_, suffixes_, own_});
  return *prepared;
}

policies::Transaction mail_to(const std::string& user, const std::string& domain) {
  policies::Transaction mail;
  mail.client.ip = *IpAddress::parse("192.0.2.1");
  mail.rcpt = MailAddress{user, domain};
  return mail;
}

}  // namespace sallyport::checks
