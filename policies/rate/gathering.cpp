#include "policies/rate/gathering.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/base/text.h"
#include "policies/api/exemption.h"
#include "policies/rate/rate.h"

namespace sallyport::policies {

namespace {

std::string client_key(const Client& client) {
  return client.ip.is_v4() ? client.ip.to_string() : IpNetwork::of(client.ip, 64).to_string();
}

// The sender's domain, in A-labels, when SPF has found that it lets the client send. Anybody can name a domain: without
// that proof its allowance is not touched (threats.md S40). DKIM cannot prove it here: its result comes with the whole
// message, when recipients have been counted, and a signed message can be sent again by anybody, as often as he likes.
std::optional<std::string> proven_domain(const Transaction& mail, const Facts& facts) {
  if (!mail.from || mail.from->is_null()) return std::nullopt;
  for (const AuthIdentifier& one : facts.tell().identifiers) {
    const bool is_proof = one.method == AuthIdentifier::Method::spf_mailfrom && one.result == AuthResult::pass;
    if (is_proof && !one.domain.empty()) return one.domain;
  }
  return std::nullopt;
}

// What the client says, so that it counts only together with that client.
std::string claimed_domain(const Transaction& mail) {
  return mail.from && !mail.from->is_null() ? mail.from->domain : std::string("<>");
}

// Case does not make another mailbox here: senders could choose among thousands of ways to write one.
std::string recipient_key(const MailAddress& rcpt) { return text::to_lower(rcpt.local) + '@' + rcpt.domain; }

// The rates that these settings limit at this stage, not asked for yet.
std::vector<RateFact> rates_at(Stage stage, const Transaction& mail, const Facts& facts, const RateSettings& settings) {
  std::vector<RateFact> wanted;
  const auto add = [&](RateName name, std::string key) {
    const std::optional<Rate>& rate = rate_of(name, settings);
    if (rate) wanted.push_back({name, stage, std::move(key), *rate});
  };
  const std::string client = client_key(mail.client);
  // A tenant's settings are known at its first recipient: the connection has been counted, or not, long before.
  if (stage == Stage::connect && !mail.rcpt) add(RateName::connect_per_ip, client);
  if (stage != Stage::mail && stage != Stage::rcpt) return wanted;
  const std::optional<std::string> domain = proven_domain(mail, facts);
  if (stage == Stage::mail) {
    add(domain ? RateName::proven_mail_per_ip : RateName::mail_per_ip, client);
  } else {
    add(RateName::rcpt_per_sender_domain, domain ? *domain : claimed_domain(mail) + ' ' + client);
    if (!domain) add(RateName::rcpt_per_ip, client);
    if (mail.rcpt) add(RateName::mail_per_rcpt, recipient_key(*mail.rcpt));
  }
  return wanted;
}

const RateFact* find(const std::vector<RateFact>& facts, const RateFact& wanted) {
  const auto found = std::find_if(facts.begin(), facts.end(), [&wanted](const RateFact& fact) {
    return fact.stage == wanted.stage && fact.name == wanted.name;
  });
  return found == facts.end() ? nullptr : &*found;
}

}  // namespace

Task<void> RateGathering::gather(Stage stage, const Transaction& mail, Facts& facts, const GatherContext& context) {
  RateFacts rates = facts.get<RateFacts>();
  const bool is_exempt = exemption_of(mail.client, settings_.skip) != Exemption::none;
  std::vector<RateFact> wanted;
  if (!is_exempt) wanted = rates_at(stage, mail, facts, settings_);
  if (stage == Stage::rcpt) {
    std::erase_if(rates.asked, [](const RateFact& fact) { return fact.stage == Stage::rcpt; });
    give_back();
    recipient_ = mail.rcpt ? recipient_key(*mail.rcpt) : std::string();
    if (recipients_.contains(recipient_)) wanted.clear();
  }
  for (RateFact& rate : wanted) {
    // By the settings that hold for all tenants, before this tenant was known.
    if (find(rates.asked, rate)) continue;
    if (const RateFact* taken = find(earlier_, rate)) {
      rates.asked.push_back(*taken);
    } else {
      co_await take(rate, context);
      rates.asked.push_back(rate);
      if (stage != Stage::rcpt) earlier_.push_back(rate);
    }
    if (!rates.asked.back().allowed) break;
  }
  facts.put(std::move(rates));
}

Task<void> RateGathering::take(RateFact& wanted, const GatherContext& context) {
  std::string key = std::string(word(wanted.name)) + ' ' + wanted.key;
  // Another tenant's mail must not use up what this tenant allows.
  if (!owner_.empty()) key.append(" of ").append(owner_);
  const io::RateAnswer answer = co_await store_.take(key, wanted.rate);
  wanted.allowed = answer.allowed;
  wanted.counted = answer.counted;
  wanted.retry_after = answer.retry_after;
  if (!answer.allowed && settings_.mode == Mode::enforce) context.counters.add(Violation::rate_limit);
  if (wanted.stage == Stage::rcpt && answer.allowed && answer.counted) {
    for_recipient_.push_back({std::move(key), wanted.rate});
  }
}

void RateGathering::recipient_answered(bool accepted) {
  if (!accepted) return give_back();
  for_recipient_.clear();
  recipients_.insert(recipient_);
}

void RateGathering::give_back() noexcept {
  for (const Taken& taken : for_recipient_) store_.give_back(taken.key, taken.rate);
  for_recipient_.clear();
}

}  // namespace sallyport::policies
