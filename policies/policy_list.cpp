#include "policies/policy_list.h"

#include <utility>

#include "policies/arc/arc.h"
#include "policies/dkim/dkim.h"
#include "policies/dmarc/dmarc.h"
#include "policies/dnsbl/dnsbl.h"
#include "policies/helo/helo.h"
#include "policies/rate/rate.h"
#include "policies/rdns/rdns.h"
#include "policies/spf/spf.h"

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

std::unique_ptr<Policy> make_rdns(const PolicySettings& settings, const PolicyParts&) {
  return std::make_unique<RdnsPolicy>(settings.rdns);
}

std::unique_ptr<Policy> make_spf(const PolicySettings& settings, const PolicyParts& parts) {
  return std::make_unique<SpfPolicy>(settings.spf, parts.hostname);
}

std::unique_ptr<Policy> make_dkim(const PolicySettings& settings, const PolicyParts& parts) {
  return std::make_unique<DkimPolicy>(settings.dkim, parts.suffixes);
}

std::unique_ptr<Policy> make_arc(const PolicySettings& settings, const PolicyParts&) {
  return std::make_unique<ArcPolicy>(settings.arc);
}

std::unique_ptr<Policy> make_dmarc(const PolicySettings& settings, const PolicyParts& parts) {
  return std::make_unique<DmarcPolicy>(settings.dmarc, parts.suffixes);
}

// In the order of their judges: of two equally strict verdicts the first one is the reply, so the cheap and plain come
// first.
constexpr Row rows[] = {
    {[](const PolicySettings& settings) { return settings.rate.mode; }, make_rate},
    {[](const PolicySettings& settings) { return settings.helo.mode; }, make_helo},
    {[](const PolicySettings& settings) { return settings.dnsbl.mode; }, make_dnsbl},
    {[](const PolicySettings& settings) { return settings.rdns.mode; }, make_rdns},
    {[](const PolicySettings& settings) { return settings.spf.mode; }, make_spf},
    {[](const PolicySettings& settings) { return settings.dkim.mode; }, make_dkim},
    {[](const PolicySettings& settings) { return settings.arc.mode; }, make_arc},
    {[](const PolicySettings& settings) { return settings.dmarc.mode; }, make_dmarc},
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
