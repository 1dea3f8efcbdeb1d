// What of a mail a list is asked for, and how.
#pragma once

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

// All that the list may have of these, each once, the most suspicious first: links that show another domain or are
// written in an unusual way, targets of redirectors, forms, links, texts, then the rest.
std::vector<Asked> askable(const std::vector<url::Found>& found, const UrlList& list, const IsSkipped& is_skipped);

// The form of a mail address that lists of hashes have (EBL, HBL): lower case, without "+tag", and of Google's without
// dots and under one domain.
std::string canonical_address(std::string_view local, std::string_view domain);

// The digest as a label. Nothing of what was digested can be told from it but by guessing.
std::string digest_label(std::string_view text, HashForm form);

}  // namespace sallyport::policies
