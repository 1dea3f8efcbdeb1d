// The header section as it goes upstream: our fields on top, what pretends to be ours left out, everything else as it
// came (contract.md, section 5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/message.h"
#include "gateway/mail/received.h"
#include "gateway/session/delivery.h"
#include "policies/api/verdict.h"

namespace sallyport::session {

struct TraceInfo {
  mail::ReceivedInfo received;
  const std::vector<policies::Verdict>& verdicts;
  std::string_view id;
  bool tagged = false;
  double score = 0;
  std::string_view checks;
  std::string_view auth_results;  // the whole field; empty: none
  std::string_view received_spf;  // the same
  std::string_view seal;          // whole fields: an ARC set
  // Authentication-Results with one of these ids, in any spelling, are not from us and are left out (RFC 8601, 5).
  std::vector<std::string> authserv_ids;
};

// The result points into `message` and must not outlive it.
OutgoingHeader make_outgoing_header(const mail::Message& message, const TraceInfo& trace);

}  // namespace sallyport::session
