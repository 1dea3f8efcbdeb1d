// What the DNS lists answered about a client (RFC 5782), with the evidence.
//
// Zones may contain a customer's key, which nobody is to see. So what facts show and keep in a record are public names
// (policies/lists/list_name.h), in the names of the questions too. Beside them stand the zones as configured, in memory
// only: settings that judge live mail find their lists by these. Facts that were read from a record have none of them;
// there, the names tell which list is meant.
#pragma once

#include <string>
#include <vector>

#include "gateway/dns/answer.h"
#include "policies/api/facts.h"
#include "policies/lists/shown_list.h"

namespace sallyport::policies {

struct DnsblFacts {
  // A list that has the client.
  struct Hit {
    ShownList list;
    std::vector<std::string> codes;  // the codes that counted: "127.0.0.2"

    template <class V>
    void fields(V& visit) {
      visit("zone", list.name);
      visit("codes", codes);
    }
  };
  // A list that gave no usable answer; never recorded as clean (threats.md I9).
  struct Failed {
    ShownList list;
    ListFailure why = ListFailure::no_answer;
    std::vector<std::string> codes;  // for list_error: the codes that are errors

    template <class V>
    void fields(V& visit) {
      visit("zone", list.name);
      visit("why", why);
      visit("codes", codes);
    }
  };
  std::vector<std::string> asked;  // names; includes those that failed
  std::vector<Hit> hits;
  std::vector<Failed> failed;
  std::vector<dns::Evidence> evidence;   // the questions end with the lists' public names
  std::vector<dns::Question> questions;  // of the evidence, as they were asked; not in a record

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

}  // namespace sallyport::policies
