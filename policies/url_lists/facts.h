// What lists of domains and hashes answered about what stands in a mail, with the evidence.
//
// As in policies/dnsbl/facts.h, a record has the lists' public names only; their zones are in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/dns/answer.h"
#include "policies/api/facts.h"
#include "policies/lists/shown_list.h"

namespace sallyport::policies {

struct UrlListsFacts {
  // What a list has.
  struct Hit {
    ShownList list;
    std::string what;                // the domain, address or URL
    std::vector<std::string> codes;  // of the answer: "127.0.1.2"

    template <class V>
    void fields(V& visit) {
      visit("zone", list.name);
      visit("what", what);
      visit("codes", codes);
    }
  };
  // A question without a usable answer; never recorded as clean (threats.md I9).
  struct Failed {
    ShownList list;
    std::string what;
    ListFailure why = ListFailure::no_answer;
    std::vector<std::string> codes;  // for list_error

    template <class V>
    void fields(V& visit) {
      visit("zone", list.name);
      visit("what", what);
      visit("why", why);
      visit("codes", codes);
    }
  };
  std::uint64_t urls = 0;          // found in the mail, mail addresses included
  bool is_whole = true;            // all that is in the mail was looked for
  bool has_content = false;        // its parts were read; else its header section only
  std::uint64_t left_out = 0;      // names and hashes beyond names_per_list, of the list with the most
  std::vector<std::string> asked;  // names of lists
  std::vector<Hit> hits;
  std::vector<Failed> failed;
  std::vector<dns::Evidence> evidence;   // the questions end with the lists' public names
  std::vector<dns::Question> questions;  // of the evidence, as they were asked; not in a record

  template <class V>
  void fields(V& visit) {
    visit("urls", urls);
    visit("whole", is_whole);
    visit("content", has_content);
    visit("left_out", left_out);
    visit("asked", asked);
    visit("hits", hits);
    visit("failed", failed);
    visit("evidence", evidence);
  }
};

extern const FactsType url_lists_facts;
template <>
inline const FactsType& type_of<UrlListsFacts>() {
  return url_lists_facts;
}

}  // namespace sallyport::policies
