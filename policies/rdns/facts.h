// The client's reverse name, forward-confirmed (RFC 8601, 2.7.3: iprev).
#pragma once

#include <string>
#include <vector>

#include "gateway/dns/answer.h"
#include "policies/api/facts.h"

namespace sallyport::policies {

struct RdnsFacts {
  AuthResult result = AuthResult::none;  // pass, fail, temperror, permerror
  std::string name;                      // the confirmed name, else the first one received
  std::vector<std::string> names;        // the host names among the first 10 received (D11), lower case
  std::vector<dns::Evidence> evidence;

  template <class V>
  void fields(V& visit) {
    visit("result", result);
    visit("name", name);
    visit("names", names);
    visit("evidence", evidence);
  }
};

extern const FactsType rdns_facts;
template <>
inline const FactsType& type_of<RdnsFacts>() {
  return rdns_facts;
}

}  // namespace sallyport::policies
