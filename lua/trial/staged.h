// Staged: one mail as the gateway hands it to rules at one stage, on a loop of its own, in a world of which nothing is
// real (world.h). No time passes but what a rule waits for.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/mail/message.h"
#include "lua/engine/run.h"
#include "lua/trial/trial_mail.h"
#include "lua/trial/world.h"
#include "policies/api/gathering.h"

namespace sallyport::lua {

class Staged {
 public:
  // At stage rcpt it is asked about the first recipient. `world` must outlive this object.
  Staged(World& world, const TrialMail& trial, policies::Stage stage);
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;

  // What a run needs; it refers to this object.
  RunCase run_case() { return {mail_, facts_, &context_, nullptr, &allowance_}; }
  const policies::Transaction& mail() const { return mail_; }
  const policies::Facts& facts() const { return facts_; }
  const policies::GatherContext& context() const { return context_; }
  // Lets the task come to its end, on the calling thread.
  void drive(Task<void> task);
  // What rules have written into the log since the last call.
  std::vector<LogLine> take_log() { return std::exchange(log_.lines, {}); }

 private:
  // Keeps the lines that rules write themselves.
  class LinesOfRules final : public Log {
   public:
    bool write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) override;
    std::vector<LogLine> lines;
  };
  // Mails of tests are small enough to be in memory.
  class NoSpool final : public mail::Spool {
   public:
    Result<std::unique_ptr<mail::SpoolFile>> open() override { return Failure{"tests have no spool"}; }
  };

  policies::Transaction mail_;
  NoSpool spool_;
  mail::Message message_;
  policies::Facts facts_;
  async::Scheduler scheduler_;
  Counters counters_;
  LinesOfRules log_;
  const std::vector<signature::BodyHash> no_hashes_;
  const std::string outcome_;
  const policies::GatherContext context_;
  MailAllowance allowance_;
};

// Executes the run to its end, which the mail's time may bring.
Task<void> run_to_its_end(Run& run, const policies::GatherContext& context);

}  // namespace sallyport::lua
