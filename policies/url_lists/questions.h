// What of a mail a list is asked for, and how.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/url/url_set.h"
#include "policies/url_lists/settings.h"

namespace sallyport::policies {

// Something that a list may have.
struct Asked {
  std::string what;    // for people: the domain, address or URL
  std::string labels;  // of the question, before the zone, without a dot at the end
};

// True for domains that no list is asked for.
using IsSkipped = std::function<bool(std::string_view domain)>;

// A URL of the mail.
struct Candidate {
  const url::Url* url;
  bool is_skipped;  // its domain is
};
// In the order in which lists are to be asked about them, for all lists of a mail. `urls` must outlive the result.
std::vector<Candidate> candidates(const std::vector<const url::Found*>& urls, const IsSkipped& is_skipped);

struct AskedOfList {
  std::vector<Asked> all;
  std::size_t left_out = 0;  // how many more there would have been
};
// What the list may have of these, each once, the first `most`.
AskedOfList askable(const std::vector<Candidate>& candidates, const UrlList& list, std::size_t most);

// The form of a mail address that lists of hashes have (EBL, HBL): lower case, without "+tag", and of Google's without
// dots and under one domain.
std::string canonical_address(std::string_view local, std::string_view domain);

// The digest as a label. Nothing of what was digested can be told from it but by guessing.
std::string digest_label(std::string_view text, HashForm form);

}  // namespace sallyport::policies
