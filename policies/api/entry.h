// PolicyEntry: everything that the gateway knows of a policy. It is defined in the policy's own folder and listed in
// policies/policy_list.cpp; no other code names a policy.
//
// The functions take settings as an untyped pointer to the struct that `settings` has made; judge_with<> and similar
// templates restore the type.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/result.h"
#include "gateway/mail/auth_results.h"
#include "gateway/settings/section.h"
#include "policies/api/explained.h"
#include "policies/api/facts.h"
#include "policies/api/gathering.h"
#include "policies/api/stage.h"
#include "policies/api/transaction.h"
#include "policies/api/verdict.h"

namespace sallyport::policies {

struct PolicyEntry {
  // "spf": `policy.spf` in the configuration, `check=` in the log.
  std::string_view name;
  // The rows of policy.<name>, and the struct they fill; `mode` is one of them.
  const settings::Section& settings;
  Mode (*mode)(const void* settings);
  const FactsType& facts;

  // Makes the gatherer; null when the policy needs nothing beyond what others have found. Called off the loops; may
  // read files. The error (a rule that does not compile, a key that cannot be read) is text for the administrator, one
  // line for each problem, with file and line where known.
  Result<std::unique_ptr<Gatherer>> (*prepare)(const void* settings, const GathererParts& parts) = nullptr;
  GatherPhase phase = GatherPhase::first;
  // The policy whose facts this one reads at MAIL, by name. Where a tenant has settings of its own for that one, both
  // wait for the tenant (checks/plan.h).
  std::string_view reads_at_mail = {};
  // The clients that its settings exempt from limits, which limits.sessions_per_ip does not hold for either
  // (threats.md S41). Null: it exempts nobody.
  const std::vector<IpNetwork>& (*unlimited)(const void* settings) = nullptr;

  // A pure function: it reads no clock, asks nothing and logs nothing. Called on the loop at every stage from connect
  // to message.
  void (*judge)(Stage stage, const Transaction& mail, const Facts& facts, const void* settings, Verdicts& out) = nullptr;

  // For `explain`: only called when the policy is on.
  Explained (*explain)(const Transaction& mail, const Facts& facts, const void* settings) = nullptr;
  // Adds the policy's results for Authentication-Results (RFC 8601), if it has any.
  void (*auth_results)(const Transaction& mail, const Facts& facts, mail::AuthResults& out) = nullptr;
  // Adds whole header fields with CRLF, such as Received-SPF, to stand below Authentication-Results.
  void (*trace_fields)(const Transaction& mail, const Facts& facts, std::string_view hostname, std::string& out) = nullptr;
};

// The mode of a settings struct with a member `mode`.
template <class S>
Mode mode_of(const void* settings) {
  return static_cast<const S*>(settings)->mode;
}

// Judge takes (Stage, const Transaction&, const Facts&, const S&, Verdicts&).
template <class S, auto Judge>
void judge_with(Stage stage, const Transaction& mail, const Facts& facts, const void* settings, Verdicts& out) {
  Judge(stage, mail, facts, *static_cast<const S*>(settings), out);
}

// Explain takes (const Transaction&, const Facts&, const S&).
template <class S, auto Explain>
Explained explain_with(const Transaction& mail, const Facts& facts, const void* settings) {
  return Explain(mail, facts, *static_cast<const S*>(settings));
}

}  // namespace sallyport::policies
