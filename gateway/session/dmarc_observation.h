// What a mail adds to the DMARC aggregate report of its author's domain (RFC 9990).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "gateway/io/report_sink.h"
#include "policies/api/policy.h"

namespace sallyport::session {

// Nothing for a mail that no report tells of: there was no record that asks for reports, or no result; it is not over
// (it was put off, or broken off, and will come again); it is itself a report that passed, or two receivers would
// report on each other's reports for ever.
//
// `said` are the verdicts on the mail, `outcome` is what became of it: relay, tag, reject ... (contract.md, section 6).
// `discovery` is how records are found, in the word of the report: treewalk or psl.
// The disposition is what the author's policy led to, not what other checks thought of the mail.
std::optional<io::DmarcObservation> dmarc_observation(const policies::Transaction& mail, const policies::Facts& facts,
                                                      const std::vector<policies::Verdict>& said,
                                                      std::string_view outcome, std::string_view discovery);

}  // namespace sallyport::session
