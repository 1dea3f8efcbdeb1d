// Whose word on a mail may be taken (RFC 8617, 7.2).
#pragma once

#include <string>
#include <vector>

#include "policies/api/auth_facts.h"

namespace sallyport::policies {

// Fills the trusted_* facts of a chain that passed; `vouches` says of each set whether its message signature verifies
// and covers the mail.
//
// Anybody can put a set of his own on top of a chain he found somewhere and a mail he wrote: the older seals still
// hold, as they cover nothing but ARC fields. So a trusted sealer's word counts only if his own message signature still
// does, or that of a trusted sealer after him who found the chain good. Of such sealers in a row the newest one that
// saw DMARC pass is taken: a list that is trusted may well have passed the mail to a forwarder who saw it fail.
void find_trusted_set(ArcFacts& facts, const std::vector<bool>& vouches,
                      const std::vector<std::string>& trusted_sealers);

// The DMARC result in an ARC-Authentication-Results; none when it has none that can be read.
AuthResult dmarc_result_in(const std::string& results);

}  // namespace sallyport::policies
