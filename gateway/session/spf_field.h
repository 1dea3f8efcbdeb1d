// What SPF found out, for those who come after us (contract.md, section 5).
#pragma once

#include <string>
#include <string_view>

#include "policies/api/auth_facts.h"
#include "policies/api/transaction.h"

namespace sallyport::session {

// The sender that SPF's check of the reverse-path was about: for <> the HELO domain's postmaster (RFC 7208, 2.4).
std::string checked_sender(const policies::Transaction& mail, const policies::SpfCheck& mailfrom);

// The Received-SPF field of the mail's sender, with its last CRLF; empty when it was not checked. `hostname`: ours.
std::string make_spf_field(const policies::Transaction& mail, const policies::SpfFacts& facts,
                           std::string_view hostname);

}  // namespace sallyport::session
