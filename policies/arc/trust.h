// Which sealer's word on a mail may be taken (RFC 8617, 7.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/arc/facts.h"

namespace sallyport::policies {

// Fills the trusted_* facts of a chain that passed; `vouches` says of each set whether its message signature verifies
// and covers the mail.
//
// An attacker can take a chain from another mail, put it on a mail of his own, and add a set of his own on top: the
// older seals still hold, as they cover nothing but ARC fields. So a trusted sealer's word counts only if its own
// message signature still verifies, or that of a trusted sealer after it, which found the chain good. Of such sealers
// in a row the newest one that saw DMARC pass is taken: a trusted list may well have passed the mail to a trusted
// forwarder, which saw DMARC fail.
void find_trusted_set(ArcFacts& facts, const std::vector<bool>& vouches,
                      const std::vector<std::string>& trusted_sealers);

// The DMARC result in the value of an ARC-Authentication-Results without its i=, folding and all; none when it has none
// that can be read.
AuthResult dmarc_result_in(std::string_view results);

}  // namespace sallyport::policies
