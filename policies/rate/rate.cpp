#include "policies/rate/rate.h"

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
std::string recipient_key(const EnvelopeAddress& rcpt) { return text::to_lower(rcpt.local) + '@' + rcpt.domain; }

void add(std::vector<RateFact>& wanted, std::string_view name, std::string key, const std::optional<Rate>& rate) {
  if (rate) wanted.push_back({std::string(name), std::move(key), *rate, true, {}});
}

std::vector<RateFact> rates_at(Stage stage, const Transaction& mail, const RateSettings& settings) {
  std::vector<RateFact> wanted;
  if (stage == Stage::connect) add(wanted, "connect_per_ip", client_key(mail.client), settings.connect_per_ip);
  if (stage == Stage::mail) add(wanted, "mail_per_ip", client_key(mail.client), settings.mail_per_ip);
  if (stage == Stage::rcpt) {
    add(wanted, "rcpt_per_sender_domain", sender_key(mail), settings.rcpt_per_sender_domain);
    if (mail.rcpt) add(wanted, "mail_per_rcpt", recipient_key(*mail.rcpt), settings.mail_per_rcpt);
  }
  return wanted;
}

const std::optional<RateFact>& fact_of(Stage stage, const RateFacts& facts) {
  if (stage == Stage::connect) return facts.connect;
  return stage == Stage::mail ? facts.mail : facts.rcpt;
}

}  // namespace

bool RatePolicy::gathers_at(Stage stage) const {
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

Task<void> RatePolicy::gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  std::optional<RateFact> fact = co_await take(stage, mail);
  if (fact && !fact->allowed && settings_.mode == Mode::enforce) around.counters.add(Violation::rate_limit);
  RateFacts& rates = facts.rate;
  (stage == Stage::connect ? rates.connect : stage == Stage::mail ? rates.mail : rates.rcpt) = std::move(fact);
}

Task<std::optional<RateFact>> RatePolicy::take(Stage stage, const Transaction& mail) const {
  std::optional<RateFact> decided;
  for (RateFact& wanted : rates_at(stage, mail, settings_)) {
    std::string key = wanted.name + ' ' + wanted.key;
    const io::RateAnswer answer = co_await store_.take(std::move(key), wanted.rate);
    wanted.allowed = answer.allowed;
    wanted.retry_after = answer.retry_after;
    decided = std::move(wanted);
    if (!answer.allowed) break;
  }
  co_return decided;
}

Verdict RatePolicy::judge(Stage stage, const Transaction&, const Facts& facts) const {
  return judge_rate(stage, facts.rate);
}

Verdict judge_rate(Stage stage, const RateFacts& facts) {
  const std::optional<RateFact>& fact = fact_of(stage, facts);
  if (!fact || fact->allowed) return Verdict::none();
  const bool at_connect = stage == Stage::connect;
  Verdict verdict = at_connect ? Verdict::tempfail("4.7.1", "Too many connections, try again later", 421)
                               : Verdict::tempfail("4.7.1", "Rate limit exceeded, try again later");
  verdict.close = at_connect;
  verdict.because = fact->name + ' ' + to_text(fact->rate) + " used up by " + fact->key + ", retry in " +
                    to_text(std::chrono::ceil<std::chrono::seconds>(fact->retry_after));
  return verdict;
}

}  // namespace sallyport::policies
