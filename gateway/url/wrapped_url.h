// Finds where URLs lead that lead elsewhere: those that mail filters write in place of others (Safe Links, Proofpoint
// urldefense v1 to v3, Mimecast, Sophos, Barracuda, Cisco and others), and redirectors that have their target in the
// path or in a parameter (google.com/url?q=, any "?url=https://...").
#pragma once

#include <string>
#include <vector>

#include "gateway/url/url.h"

namespace sallyport::url {

inline constexpr std::size_t max_targets = 8;  // of one URL

// The targets as written within the URL, decoded; each may be a wrapped URL again. No target is longer than the URL.
std::vector<std::string> wrapped_urls(const Url& url);

}  // namespace sallyport::url
