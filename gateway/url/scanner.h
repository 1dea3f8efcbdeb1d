// Finds what may be URLs and mail addresses in a text, in time linear in its length, at 100 MB/s and more.
//
// It is meant to find too much: read_url() says what is a URL. A candidate is
//   - what begins with a scheme that URLs in mail have, defanged or not, up to white space, a quotation mark or an
//   angle
//     bracket, without the punctuation of the sentence around it; also within another URL;
//   - a name under a top-level domain that exists, with what follows it;
//   - what stands around an "@".
// A URL between "<" and ">" may be broken over lines. Where letters of a script without spaces stand around a name, the
// name with them and the name without them are both candidates.
#pragma once

#include <functional>
#include <string_view>

#include "gateway/base/top_level_domains.h"

namespace sallyport::url {

// Called with each candidate, which is valid during the call only; false ends the scan.
using CandidateSink = std::function<bool(std::string_view written)>;

// False when the sink has ended it.
bool scan_for_urls(std::string_view text, const TopLevelDomains& top, const CandidateSink& sink);

}  // namespace sallyport::url
