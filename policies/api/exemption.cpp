#include "policies/api/exemption.h"

#include <algorithm>

namespace sallyport::policies {

Exemption exemption_of(const Client& client, const std::vector<IpNetwork>& skip) {
  if (client.is_trusted) return Exemption::trusted;
  const bool is_skipped = std::any_of(skip.begin(), skip.end(),
                                      [&client](const IpNetwork& network) { return network.contains(client.ip); });
  return is_skipped ? Exemption::skipped : Exemption::none;
}

std::string describe(Exemption exemption, std::string_view policy) {
  if (exemption == Exemption::none) return {};
  std::string key = exemption == Exemption::trusted ? "trusted.networks" : "policy." + std::string(policy) + ".skip";
  return key + " has the client";
}

Verdict verdict_of(Exemption exemption, std::string_view policy) {
  Verdict verdict;
  if (exemption == Exemption::none) return verdict;
  verdict.rule = word(exemption);
  verdict.because = describe(exemption, policy);
  return verdict;
}

}  // namespace sallyport::policies
