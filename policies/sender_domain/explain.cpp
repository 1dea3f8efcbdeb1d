#include <string>

#include "policies/sender_domain/sender_domain.h"

namespace sallyport::policies {

Explained explain_sender_domain(const Transaction& mail, const Facts& facts, const SenderDomainSettings&) {
  if (!mail.from) return {"not run", "", {}};
  const SenderDomainFacts* sender = facts.find<SenderDomainFacts>();
  if (!sender) return {"not asked", "the sender has no domain", {}};
  switch (sender->finding) {
    case SenderDomainFinding::mail_exchanger:
      return {"ok", sender->domain + " has an MX", {}};
    case SenderDomainFinding::address:
      return {"ok", sender->domain + " has an address", {}};
    case SenderDomainFinding::null_mx:
      return {"fail", sender->domain + " takes no mail (null MX)", {}};
    case SenderDomainFinding::nowhere:
      return {"fail", sender->domain + " has neither MX nor address", {}};
    case SenderDomainFinding::unknown:
      break;
  }
  return {"unknown", "the DNS does not tell where mail for " + sender->domain + " goes", {}};
}

}  // namespace sallyport::policies
