#include "policies/sender_domain/sender_domain.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gateway/base/a_labels.h"
#include "gateway/base/domain_name.h"
#include "policies/api/ask.h"

namespace sallyport::policies {

namespace {

using Finding = SenderDomainFinding;

// MAIL waits for this check, which can do no more than score.
constexpr Duration patience = std::chrono::seconds(5);

// The domain to ask about; nothing for <>, and for a literal, which needs no DNS.
std::optional<std::string> domain_of(const Transaction& mail) {
  if (!mail.from || mail.from->domain.empty()) return std::nullopt;
  auto domain = to_a_labels(mail.from->domain);
  if (!domain || !is_domain_name(*domain)) return std::nullopt;
  return domain;
}

// A null MX has the root for its exchange, and stands alone. Beside others it says nothing (RFC 7505, 3).
bool is_null_mx(const dns::Answer& answer) {
  return std::all_of(answer.records.begin(), answer.records.end(), [](const dns::RecordData& record) {
    const auto* mx = std::get_if<dns::Mx>(&record);
    return mx && (mx->exchange.empty() || mx->exchange == ".");
  });
}

Finding finding_of_addresses(const dns::Answer& a, const dns::Answer& aaaa) {
  if (a.found() || aaaa.found()) return Finding::address;
  return a.failed() || aaaa.failed() ? Finding::unknown : Finding::nowhere;
}

class SenderDomainGathering final : public Gathering {
 public:
  Task<void> gather(Stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    // What was asked for all tenants holds for this one.
    if (facts.find<SenderDomainFacts>()) co_return;
    const std::optional<std::string> domain = domain_of(mail);
    if (!domain) co_return;
    GatherContext soon = context;
    soon.deadline = std::min(context.deadline, context.scheduler.now() + patience);

    SenderDomainFacts found;
    found.domain = *domain;
    found.evidence = co_await ask_all({{*domain, dns::Type::MX}}, soon);
    const dns::Answer mx = found.evidence.front().answer;
    if (mx.found()) {
      found.finding = is_null_mx(mx) ? Finding::null_mx : Finding::mail_exchanger;
    } else if (mx.status == dns::Status::nxdomain) {
      found.finding = Finding::nowhere;  // what does not exist has no address
    } else if (mx.is_absent()) {
      auto addresses = co_await ask_all({{*domain, dns::Type::A}, {*domain, dns::Type::AAAA}}, soon);
      found.finding = finding_of_addresses(addresses[0].answer, addresses[1].answer);
      std::move(addresses.begin(), addresses.end(), std::back_inserter(found.evidence));
    }
    facts.put(std::move(found));
  }
};

class SenderDomainGatherer final : public Gatherer {
 public:
  bool gathers_at(Stage stage) const override { return stage == Stage::mail; }
  std::unique_ptr<Gathering> begin() const override { return std::make_unique<SenderDomainGathering>(); }
};

Result<std::unique_ptr<Gatherer>> prepare_sender_domain(const void*, const GathererParts&) {
  return std::unique_ptr<Gatherer>(std::make_unique<SenderDomainGatherer>());
}

}  // namespace

constinit const PolicyEntry sender_domain_entry{
    .name = "sender_domain",
    .settings = sender_domain_section,
    .mode = mode_of<SenderDomainSettings>,
    .facts = sender_domain_facts,
    .prepare = prepare_sender_domain,
    .judge = judge_with<SenderDomainSettings, judge_sender_domain>,
    .explain = explain_with<SenderDomainSettings, explain_sender_domain>,
};

}  // namespace sallyport::policies
