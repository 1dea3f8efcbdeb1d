// World: all that a rule can reach while a test runs it, none of it real: the DNS, the web, the clock, the memory
// across mails, what it would log. Each test has its own, so that nothing of one test is seen by the next.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/base/log.h"
#include "gateway/base/units.h"
#include "gateway/state/mail_memory.h"
#include "lua/engine/rule_set.h"
#include "lua/engine/services.h"
#include "lua/trial/dns_table.h"
#include "lua/trial/trial_mail.h"
#include "lua/trial/web_table.h"

namespace sallyport::lua {

// A line that a rule has written by sp.log.
struct LogLine {
  LogLevel level = LogLevel::info;
  std::string text;
};

class World {
 public:
  // What a run has come to, and what it has written into the log.
  struct Outcome {
    RunResult result;
    std::vector<LogLine> log;
  };

  // When tests begin, unless they say otherwise: 2026-09-21 14:13:20 UTC.
  static constexpr WallTime start{std::chrono::seconds(1'790'000'000)};

  World();

  // Runs the rule for the mail, in whatever mode the rule is, with the budgets of the gateway, to its end. At stage
  // rcpt it is asked about the first recipient.
  Outcome run(RuleSet& rules, const Rule& rule, const TrialMail& mail);

  WallTime now() const { return *clock_; }
  void set_now(WallTime now) { *clock_ = now; }
  WebTable& web() { return *web_; }

  DnsTable dns;
  // Refers to what this object owns.
  RuleServices services;

 private:
  // On the heap, so that a World may be assigned.
  std::shared_ptr<WallTime> clock_;
  std::unique_ptr<WebTable> web_;
  std::unique_ptr<state::MailMemory> memory_;
};

}  // namespace sallyport::lua
