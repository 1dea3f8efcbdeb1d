#include "policies/sender_domain/sender_domain.h"

namespace sallyport::policies {

void judge_sender_domain(Stage stage, const Transaction&, const Facts& facts, const SenderDomainSettings& settings,
                         Verdicts& out) {
  const SenderDomainFacts* sender = facts.find<SenderDomainFacts>();
  if (!sender || stage != Stage::message) return;
  switch (sender->finding) {
    case SenderDomainFinding::mail_exchanger:
    case SenderDomainFinding::address:
      break;
    case SenderDomainFinding::null_mx:
      out.add(Verdict::scored(settings.score, sender->domain + " takes no mail (null MX)"));
      break;
    case SenderDomainFinding::nowhere:
      out.add(Verdict::scored(settings.score, sender->domain + " has neither MX nor address"));
      break;
    case SenderDomainFinding::unknown:
      out.add(Verdict::unknown("", "the DNS does not tell where mail for " + sender->domain + " goes"));
      break;
  }
}

}  // namespace sallyport::policies
