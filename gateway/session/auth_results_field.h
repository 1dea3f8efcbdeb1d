// What our checks found out about a mail's sender, for those who come after us (RFC 8601; contract.md, section 5).
#pragma once

#include <string_view>

#include "gateway/mail/auth_results.h"
#include "policies/api/facts.h"
#include "policies/api/transaction.h"

namespace sallyport::session {

// The results of the methods that were used, in the order iprev, spf, dkim, dmarc, arc; none where no method was. The
// id is `hostname`.
mail::AuthResults auth_results_of(const policies::Transaction& mail, const policies::Facts& facts,
                                  std::string_view hostname);

}  // namespace sallyport::session
