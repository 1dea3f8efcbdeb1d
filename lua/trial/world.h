// World: all that a rule can reach while a test runs it, none of it real: the DNS, the clock, what it would log. Each
// test has its own, so that nothing of one test is seen by the next.
#pragma once

#include <string>
#include <vector>

#include "gateway/base/counters.h"
#include "gateway/base/units.h"
#include "lua/engine/rule_set.h"
#include "lua/trial/dns_table.h"
#include "lua/trial/mail.h"

namespace sallyport::lua {

class World {
 public:
  // When tests begin, unless they say otherwise: 2026-09-21 14:13:20 UTC.
  static constexpr WallTime start{std::chrono::seconds(1'790'000'000)};

  // Runs the rule for the mail, in whatever mode the rule is, with the budgets of the gateway, to its end. At stage
  // rcpt it is asked about the first recipient.
  RunResult run(RuleSet& rules, const Rule& rule, const TrialMail& mail);

  DnsTable dns;
  WallTime now = start;
};

}  // namespace sallyport::lua
