// What was found out by DMARC (RFC 9989), with the evidence. Texts from strangers are validated or printable ASCII
// (threats.md D23), but for `record`, which is kept as it was published.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/dns/answer.h"
#include "policies/api/facts.h"

namespace sallyport {

namespace policies {

enum class DmarcDisposition : std::uint8_t { none, quarantine, reject };

// Why less was done than the policy asks for (RFC 9990).
enum class DmarcOverride : std::uint8_t { none, local_policy, policy_test_mode };

// The tag of the record that applies.
enum class DmarcTag : std::uint8_t { none, p, sp, np };

// How records and organizational domains were found, in the words of RFC 9990.
enum class DmarcDiscovery : std::uint8_t { treewalk, psl };

}  // namespace policies

template <>
inline constexpr auto words_of<policies::DmarcDisposition> =
    std::to_array<std::string_view>({"none", "quarantine", "reject"});
template <>
inline constexpr auto words_of<policies::DmarcOverride> =
    std::to_array<std::string_view>({"", "local_policy", "policy_test_mode"});
template <>
inline constexpr auto words_of<policies::DmarcTag> = std::to_array<std::string_view>({"", "p", "sp", "np"});
template <>
inline constexpr auto words_of<policies::DmarcDiscovery> = std::to_array<std::string_view>({"treewalk", "psl"});

namespace policies {

struct DmarcFacts {
  AuthResult result = AuthResult::none;  // none: no author domain, or no record of use; permerror: no usable From field
  std::string problem;                   // of temperror, permerror, and of none where no author domain is the reason
  std::string from_domain;               // the Author Domain
  std::string organizational_domain;
  DmarcDiscovery discovery = DmarcDiscovery::treewalk;
  std::string policy_domain;                            // where the record was found
  std::string record;                                   // its text, as published
  DmarcTag published = DmarcTag::none;                  // none: no policy applies
  DmarcDisposition policy = DmarcDisposition::none;     // what that tag says
  DmarcDisposition asked_for = DmarcDisposition::none;  // the same after t=y
  DmarcDisposition effective = DmarcDisposition::none;  // after what overrides it, too
  bool testing = false;
  bool strict_spf = false;
  bool strict_dkim = false;
  bool spf_aligned = false;  // an aligned pass
  bool dkim_aligned = false;
  std::string aligned_domain;  // of the identifier that passed
  // Identifiers with their organizational domains, those that had to be looked up.
  std::vector<std::pair<std::string, std::string>> organizational_domains;
  DmarcOverride override_reason = DmarcOverride::none;
  std::string override_comment;        // in words: "arc=pass as[2].d=lists.example"
  std::string deceptive;               // a domain that the phrase of From shows beside the author's, if there is one
  bool is_report = false;              // the mail says of itself that it is an aggregate report (RFC 9990, 3.5.2)
  std::vector<std::string> report_to;  // rua, those of its URIs that we can report to
  std::vector<dns::Evidence> evidence;

  template <class V>
  void fields(V& visit) {
    visit("result", result);
    visit("problem", problem);
    visit("from_domain", from_domain);
    visit("organizational_domain", organizational_domain);
    visit("discovery", discovery);
    visit("policy_domain", policy_domain);
    visit("record", record);
    visit("published", published);
    visit("policy", policy);
    visit("asked_for", asked_for);
    visit("effective", effective);
    visit("testing", testing);
    visit("strict_spf", strict_spf);
    visit("strict_dkim", strict_dkim);
    visit("spf_aligned", spf_aligned);
    visit("dkim_aligned", dkim_aligned);
    visit("aligned_domain", aligned_domain);
    visit("organizational_domains", organizational_domains);
    visit("override_reason", override_reason);
    visit("override_comment", override_comment);
    visit("deceptive", deceptive);
    visit("is_report", is_report);
    visit("report_to", report_to);
    visit("evidence", evidence);
  }
};

extern const FactsType dmarc_facts;
template <>
inline const FactsType& type_of<DmarcFacts>() {
  return dmarc_facts;
}

}  // namespace policies

}  // namespace sallyport
