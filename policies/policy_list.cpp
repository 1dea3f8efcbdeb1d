#include "policies/policy_list.h"

#include <utility>

#include "policies/dnsbl/dnsbl.h"
#include "policies/helo/helo.h"
#include "policies/rate/rate.h"

namespace sallyport::policies {

namespace {

using Maker = std::unique_ptr<Policy> (*)(const PolicySettings& settings, const PolicyParts& parts);

struct Row {
  Mode (*mode)(const PolicySettings& settings);
  Maker make;
};

std::unique_ptr<Policy> make_rate(const PolicySettings& settings, const PolicyParts& parts) {
  return std::make_unique<RatePolicy>(settings.rate, parts.rates);
}

std::unique_ptr<Policy> make_helo(const PolicySettings& settings, const PolicyParts& parts) {
  return std::make_unique<HeloPolicy>(settings.helo, OwnNames(parts.hostname, parts.domains));
}

std::unique_ptr<Policy> make_dnsbl(const PolicySettings& settings, const PolicyParts&) {
  return std::make_unique<DnsblPolicy>(settings.dnsbl);
}

// In the order of their judges: of two equally strict verdicts the first one is the reply, so the cheap and plain come
// first.
constexpr Row rows[] = {
    {[](const PolicySettings& settings) { return settings.rate.mode; }, make_rate},
    {[](const PolicySettings& settings) { return settings.helo.mode; }, make_helo},
    {[](const PolicySettings& settings) { return settings.dnsbl.mode; }, make_dnsbl},
};

}  // namespace

std::vector<std::unique_ptr<Policy>> make_policies(const PolicySettings& settings, const PolicyParts& parts) {
  std::vector<std::unique_ptr<Policy>> policies;
  for (const Row& row : rows) {
    if (row.mode(settings) != Mode::off) policies.push_back(row.make(settings, parts));
  }
  return policies;
}

}  // namespace sallyport::policies
