#include <algorithm>
#include <string>
#include <utility>

#include "policies/helo/helo.h"

namespace sallyport::policies {

Explained explain_helo(const Transaction& mail, const Facts& facts, const HeloSettings&) {
  const HeloFacts* helo = facts.find<HeloFacts>();
  if (!helo) return {"not run", "", {}};
  if (helo->finding == HeloFinding::ok) return {"ok", mail.client.helo, {}};
  std::string finding(word(helo->finding));
  std::replace(finding.begin(), finding.end(), '_', ' ');
  return {"fail", mail.client.helo + ": " + finding, {}};
}

}  // namespace sallyport::policies
