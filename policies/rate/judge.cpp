#include <chrono>
#include <string>
#include <utility>

#include "policies/api/exemption.h"
#include "policies/rate/rate.h"
#include "policies/rate/replies.h"

namespace sallyport::policies {

const std::optional<Rate>& rate_of(RateName name, const RateSettings& settings) {
  switch (name) {
    case RateName::connect_per_ip:
      return settings.connect_per_ip;
    case RateName::mail_per_ip:
      return settings.mail_per_ip;
    case RateName::rcpt_per_ip:
      return settings.rcpt_per_ip;
    case RateName::proven_mail_per_ip:
      return settings.proven_mail_per_ip;
    case RateName::rcpt_per_sender_domain:
      return settings.rcpt_per_sender_domain;
    case RateName::mail_per_rcpt:
      break;
  }
  return settings.mail_per_rcpt;
}

void judge_rate(Stage stage, const Transaction& mail, const Facts& facts, const RateSettings& settings, Verdicts& out) {
  const RateFacts* rates = facts.find<RateFacts>();
  if (!rates || (stage != Stage::connect && stage != Stage::mail && stage != Stage::rcpt)) return;
  const Exemption exemption = exemption_of(mail.client, settings.skip);
  if (exemption != Exemption::none) return out.add(verdict_of(exemption, "rate"));
  for (const RateFact& fact : rates->asked) {
    if (fact.stage != stage || fact.allowed || !rate_of(fact.name, settings)) continue;
    const bool at_connect = stage == Stage::connect;
    Verdict verdict = refuse_with(at_connect ? rate_reply::too_many_connections : rate_reply::used_up);
    verdict.close = at_connect;
    verdict.rule = word(fact.name);
    verdict.because = verdict.rule + ' ' + to_text(fact.rate) + " used up by " + fact.key + ", retry in " +
                      to_text(std::chrono::ceil<std::chrono::seconds>(fact.retry_after));
    out.add(std::move(verdict));
  }
}

}  // namespace sallyport::policies
