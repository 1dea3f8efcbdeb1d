#include <string>
#include <vector>

#include "gateway/base/score_text.h"
#include "gateway/base/text.h"
#include "policies/api/exemption.h"
#include "policies/dnsbl/dnsbl.h"
#include "policies/dnsbl/listings.h"

namespace sallyport::policies {

Explained explain_dnsbl(const Transaction& mail, const Facts& facts, const DnsblSettings& settings) {
  const DnsblFacts* dnsbl = facts.find<DnsblFacts>();
  if (!dnsbl) return {"not run", "", {}};
  const Exemption exemption = exemption_of(mail.client, settings.skip);
  if (exemption != Exemption::none) return {"not asked", describe(exemption, "dnsbl"), {}};
  Explained explained;
  const std::vector<Unanswered> silent = unanswered(mail.client, *dnsbl, settings);
  for (const Listing& listing : listings(mail.client, *dnsbl, settings)) {
    explained.result = "listed";
    if (!explained.fact.empty()) explained.fact += ", ";
    explained.fact +=
        listing.list + " (" + text::join(listing.codes, " ") + ", score " + score_text(listing.score) + ")";
  }
  if (explained.result.empty() && !silent.empty()) {
    explained.result = "unknown";
  } else if (explained.result.empty()) {
    const bool is_asked = !dnsbl->evidence.empty();
    explained.result = is_asked ? "clean" : "not asked";
    explained.fact =
        is_asked ? "lists asked: " + std::to_string(dnsbl->evidence.size()) : std::string("no list for this client");
  }
  for (const Unanswered& list : silent) explained.details.push_back(list.list + ": " + list.why);
  return explained;
}

}  // namespace sallyport::policies
