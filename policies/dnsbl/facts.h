// What the DNS lists answered about a client (RFC 5782), with the evidence.
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

// Why a list gave no usable answer.
enum class ListFailure : std::uint8_t {
  no_answer,      // no answer, or an unusable one
  list_error,     // it answered with a code that never means a listing
  budget,         // the mail's DNS questions were used up
  set_aside,      // not asked: it did not answer ten times in a row
  failed_test,    // not asked: its test points gave wrong answers
  name_too_long,  // the query name would be too long
};

}  // namespace policies

template <>
inline constexpr auto words_of<policies::ListFailure> =
    std::to_array<std::string_view>({"no_answer", "list_error", "budget", "set_aside", "failed_test", "name_too_long"});

namespace policies {

// Zones are stored as configured. They may contain a customer's key, so they are shown only through public_zone_name().
struct DnsblFacts {
  // A list that has the client.
  struct Hit {
    std::string zone;
    std::vector<std::string> codes;  // the codes that counted: "127.0.0.2"

    template <class V>
    void fields(V& visit) {
      visit("zone", zone);
      visit("codes", codes);
    }
  };
  // A list that gave no usable answer; never recorded as clean (threats.md I9).
  struct Failed {
    std::string zone;
    ListFailure why = ListFailure::no_answer;
    std::vector<std::string> codes;  // for list_error: the codes that are errors

    template <class V>
    void fields(V& visit) {
      visit("zone", zone);
      visit("why", why);
      visit("codes", codes);
    }
  };
  std::vector<std::string> asked;  // includes those that failed
  std::vector<Hit> hits;
  std::vector<Failed> failed;
  std::vector<dns::Evidence> evidence;

  template <class V>
  void fields(V& visit) {
    visit("asked", asked);
    visit("hits", hits);
    visit("failed", failed);
    visit("evidence", evidence);
  }
};

extern const FactsType dnsbl_facts;
template <>
inline const FactsType& type_of<DnsblFacts>() {
  return dnsbl_facts;
}

}  // namespace policies

}  // namespace sallyport
