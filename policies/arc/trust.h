// Which sealers' word on a mail may be taken (RFC 8617, 7.2), and what a sealer says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/arc/facts.h"

namespace sallyport::policies {

// Fills `trusted` of a chain that passed; `vouches` says of each set whether its message signature verifies and covers
// the mail.
//
// An attacker can take a chain from another mail, put it on a mail of his own, and add a set of his own on top: the
// older seals still hold, as they cover nothing but ARC fields. So a trusted sealer's word counts only if its own
// message signature still verifies, or that of a trusted sealer after it, which found the chain good. All such sealers
// in a row are trusted: a trusted list may well have passed the mail to a trusted forwarder, which saw DMARC fail.
void find_trusted_sets(ArcFacts& facts, const std::vector<bool>& vouches,
                       const std::vector<std::string>& trusted_sealers);

// Reads the value of an ARC-Authentication-Results without its i=, folding and all, into the set: `dmarc` and the
// `_passes`. `results` is the original, whatever its length; nothing is read from a field that cannot be read whole.
void read_results(std::string_view results, ArcFacts::Set& set);

}  // namespace sallyport::policies
