// Whether the DNS says that a reply to the sender could be delivered.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/dns/answer.h"
#include "policies/api/facts.h"

namespace sallyport {

namespace policies {

enum class SenderDomainFinding : std::uint8_t {
  mail_exchanger,  // it has an MX
  address,         // no MX, but an address, to which its mail is sent (RFC 5321, 5.1)
  null_mx,         // it declares that it accepts no mail (RFC 7505)
  nowhere,         // neither MX nor address
  unknown,         // the DNS gave no usable answer
};

}  // namespace policies

template <>
inline constexpr auto words_of<policies::SenderDomainFinding> =
    std::to_array<std::string_view>({"mail_exchanger", "address", "null_mx", "nowhere", "unknown"});

namespace policies {

// Put only for a sender with a domain, not for <> or address literals.
struct SenderDomainFacts {
  std::string domain;  // A-labels, lower case
  SenderDomainFinding finding = SenderDomainFinding::unknown;
  std::vector<dns::Evidence> evidence;

  template <class V>
  void fields(V& visit) {
    visit("domain", domain);
    visit("finding", finding);
    visit("evidence", evidence);
  }
};

extern const FactsType sender_domain_facts;
template <>
inline const FactsType& type_of<SenderDomainFacts>() {
  return sender_domain_facts;
}

}  // namespace policies

}  // namespace sallyport
