// Disposition: what follows from many verdicts.
//
// A pure function of the verdicts and the thresholds of the tenant's policy.actions. It drops no verdict: enforced,
// shadow and skipped ones all stay with the mail, and symbols() and shadows() list them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/api/actions.h"
#include "policies/api/verdict.h"

namespace sallyport::checks {

// What decided, as the log writes it (contract.md, section 6).
struct Reason {
  std::string check;    // the policy's name, or "score" when the sum decided
  std::string rule;     // the rule within the policy; for a sum, the rule of its largest part; may be empty
  std::string because;  // the deciding fact; for a sum, its parts, the largest first
};

struct Disposition {
  policies::Action action = policies::Action::none;  // with none, accept and tag the mail goes on
  Reason reason;                                     // empty when the action is none
  // The reply that the verdict asks for; 0 and empty mean the action's default.
  int code = 0;
  std::string dsn;
  std::string text;
  bool close = false;  // the connection ends after the reply

  bool refuses() const { return action >= policies::Action::tempfail; }
};

// The strictest of the verdicts of one stage that count; of equally strict ones, the first. Scores are not summed here.
// `before` are the verdicts of earlier stages, which may contain an accept.
Disposition strictest(std::span<const policies::Verdict> said, std::span<const policies::Verdict> before);

// True for a verdict that has an effect: it is enforced, and no accept has taken its check out of the count.
bool counts(const policies::Verdict& verdict, std::span<const policies::Verdict> said);

// What the verdict does after the overrides among `said`, which only make it milder.
policies::Action effective_action(const policies::Verdict& verdict, std::span<const policies::Verdict> said);

// "rules:LOTTERY", "spf".
std::string name_of(const policies::Verdict& verdict);

// The strictest of all verdicts on a mail, or what the sum of the scores leads to when that is stricter.
Disposition dispose(std::span<const policies::Verdict> said, const policies::ActionSettings& actions);

// The sum of the scores that count.
double score(std::span<const policies::Verdict> said);

// True if an enforced accept has taken this check out of the count. An accept has no effect beside a stricter verdict
// of the same policy at the same stage: the strictest of several rules decides.
bool is_skipped(std::string_view check, std::span<const policies::Verdict> said);

// What was found, each name once, in the order of the verdicts (contract.md, section 6): "dnsbl:zen(8)",
// "rules:LOTTERY(2)", "~rate:mail_per_ip" (shadow), "!dnsbl:dead" (could not be found out). A number in parentheses is
// a score.
std::vector<std::string> symbols(std::span<const policies::Verdict> said);

// What checks in shadow mode would have done: "rules:NO_CLARA reject: rule NO_CLARA", "dnsbl:zen score 8: ...",
// "rules:OLD remove X-Old".
std::vector<std::string> shadows(std::span<const policies::Verdict> said);

}  // namespace sallyport::checks
