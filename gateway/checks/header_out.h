// Makes the header section as it is sent upstream: our fields on top, fields that imitate ours left out, those changed
// that verdicts ask for, and everything else unchanged, octet for octet (contract.md, section 5; threats.md M18).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/checks/plan.h"
#include "gateway/mail/auth_results.h"
#include "gateway/mail/message.h"
#include "gateway/mail/outgoing_header.h"
#include "gateway/mail/received.h"
#include "policies/api/verdict.h"

namespace sallyport::checks {

// The results of the plan's checks for Authentication-Results (RFC 8601), in their order; without methods when no check
// has a result. The authserv-id is `hostname`.
mail::AuthResults auth_results(const Plan& plan, const policies::Transaction& mail, const policies::Facts& facts,
                               std::string_view hostname);
// Whole header fields that the plan's checks add below Authentication-Results, such as Received-SPF.
std::string trace_fields(const Plan& plan, const policies::Transaction& mail, const policies::Facts& facts,
                         std::string_view hostname);

struct TraceInfo {
  std::optional<mail::ReceivedInfo> received;  // nothing: another server writes a Received field
  // All verdicts on the mail. X-Sallyport-Verdict shows their score and symbols; what they ask for is done to the
  // header (changes.h).
  const std::vector<policies::Verdict>& verdicts;
  std::string_view id;
  // What becomes of the mail, and why; X-Sallyport-Quarantine has the reason of a quarantine.
  policies::Action action = policies::Action::none;
  std::string_view because = {};
  // Null, or without methods: no Authentication-Results is written. The server behind us may add one of its own.
  const mail::AuthResults* results = nullptr;
  std::string policy_fields = {};  // the result of trace_fields()
  std::string seal = {};           // whole fields: an ARC set
  // Inbound Authentication-Results with one of these ids, in any letter case, imitate ours and are left out (RFC 8601,
  // 5).
  std::vector<std::string> authserv_ids = {};
  // Another body than the message's own is sent behind this header.
  bool has_new_body = false;
};

// The result points into `message` and must not outlive it.
mail::OutgoingHeader make_outgoing_header(const mail::Message& message, const TraceInfo& trace);

// The header section as sent, in one piece.
std::string octets_of(const mail::OutgoingHeader& header);

}  // namespace sallyport::checks
