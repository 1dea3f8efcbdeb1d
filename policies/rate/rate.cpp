#include "policies/rate/rate.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/text.h"

namespace sallyport::policies {

namespace {

std::string client_key(const Client& client) {
  return client.ip.is_v4() ? client.ip.to_string() : IpNetwork::of(client.ip, 64).to_string();
}

std::string sender_key(const Transaction& mail) {
  if (!mail.from || mail.from->is_null()) return "<> " + client_key(mail.client);
  return mail.from->domain;
}

// Case does not make another mailbox here: senders could choose among thousands of ways to write one.
std::string recipient_key(const MailAddress& rcpt) { return text::to_lower(rcpt.local) + '@' + rcpt.domain; }

// The rates that these settings limit at this stage, not asked for yet.
std::vector<RateFact> rates_at(Stage stage, const Transaction& mail, const RateSettings& settings) {
  std::vector<RateFact> wanted;
  const auto add = [&](RateName name, std::string key) {
    const std::optional<Rate>& rate = rate_of(name, settings);
    if (rate) wanted.push_back({name, stage, std::move(key), *rate});
  };
  // A tenant's settings are known at its first recipient: the connection has been counted, or not, long before.
  if (stage == Stage::connect && !mail.rcpt) add(RateName::connect_per_ip, client_key(mail.client));
  if (stage == Stage::mail) add(RateName::mail_per_ip, client_key(mail.client));
  if (stage == Stage::rcpt) {
    add(RateName::rcpt_per_sender_domain, sender_key(mail));
    if (mail.rcpt) add(RateName::mail_per_rcpt, recipient_key(*mail.rcpt));
  }
  return wanted;
}

class RateGathering final : public Gathering {
 public:
  RateGathering(const RateSettings& settings, std::string_view owner, io::RateStore& store)
      : settings_(settings), owner_(owner), store_(store) {}

  // Takes one of each rate that applies, up to the first that is used up.
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    RateFacts rates = facts.get<RateFacts>();
    if (stage == Stage::rcpt) {
      std::erase_if(rates.asked, [](const RateFact& fact) { return fact.stage == Stage::rcpt; });
    }
    for (RateFact& wanted : rates_at(stage, mail, settings_)) {
      // By the settings that hold for all tenants, before this tenant was known.
      if (find(rates.asked, wanted)) continue;
      if (const RateFact* taken = find(taken_, wanted)) {
        rates.asked.push_back(*taken);
      } else {
        co_await take(wanted, context);
        rates.asked.push_back(wanted);
        if (stage != Stage::rcpt) taken_.push_back(wanted);
      }
      if (!rates.asked.back().allowed) break;
    }
    facts.put(std::move(rates));
  }

 private:
  Task<void> take(RateFact& wanted, const GatherContext& context) const {
    std::string key = std::string(word(wanted.name)) + ' ' + wanted.key;
    // Another tenant's mail must not use up what this tenant allows.
    if (!owner_.empty()) key.append(" of ").append(owner_);
    const io::RateAnswer answer = co_await store_.take(std::move(key), wanted.rate);
    wanted.allowed = answer.allowed;
    wanted.counted = answer.counted;
    wanted.retry_after = answer.retry_after;
    if (!answer.allowed && settings_.mode == Mode::enforce) context.counters.add(Violation::rate_limit);
  }

  static const RateFact* find(const std::vector<RateFact>& facts, const RateFact& wanted) {
    const auto found = std::find_if(facts.begin(), facts.end(), [&wanted](const RateFact& fact) {
      return fact.stage == wanted.stage && fact.name == wanted.name;
    });
    return found == facts.end() ? nullptr : &*found;
  }

  const RateSettings& settings_;
  const std::string_view owner_;
  io::RateStore& store_;
  // A tenant's first recipient may be refused and its facts be given up with it: the mail is not counted once more for
  // the next one.
  std::vector<RateFact> taken_;
};

class RateGatherer final : public Gatherer {
 public:
  RateGatherer(const RateSettings& settings, std::string_view owner, io::RateStore& store)
      : settings_(settings), owner_(owner), store_(store) {}

  bool gathers_at(Stage stage) const override {
    switch (stage) {
      case Stage::connect:
        return settings_.connect_per_ip.has_value();
      case Stage::mail:
        return settings_.mail_per_ip.has_value();
      case Stage::rcpt:
        return settings_.rcpt_per_sender_domain.has_value() || settings_.mail_per_rcpt.has_value();
      default:
        return false;
    }
  }
  bool precedes_greeting() const override { return gathers_at(Stage::connect); }
  std::unique_ptr<Gathering> begin() const override {
    return std::make_unique<RateGathering>(settings_, owner_, store_);
  }

 private:
  RateSettings settings_;
  std::string owner_;  // the tenant whose own the settings are, or nobody
  io::RateStore& store_;
};

Result<std::unique_ptr<Gatherer>> prepare_rate(const void* settings, const GathererParts& parts) {
  return std::unique_ptr<Gatherer>(
      std::make_unique<RateGatherer>(*static_cast<const RateSettings*>(settings), parts.tenant, parts.rates));
}

}  // namespace

constinit const PolicyEntry rate_entry{
    .name = "rate",
    .settings = rate_section,
    .mode = mode_of<RateSettings>,
    .facts = rate_facts,
    .prepare = prepare_rate,
    .judge = judge_with<RateSettings, judge_rate>,
    .explain = explain_with<RateSettings, explain_rate>,
};

}  // namespace sallyport::policies
