// Staged: one mail as the gateway hands it to rules at one stage, on a loop of its own, in a world of which nothing is
// real (world.h). No time passes but what a rule waits for.
#pragma once

#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/mail/message.h"
#include "lua/engine/run.h"
#include "lua/trial/mail.h"
#include "policies/api/gathering.h"

namespace sallyport::lua {

class World;

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

 private:
  // Lines of rules are nobody's concern here.
  class NoLog final : public Log {
   public:
    bool write(LogLevel, std::string_view, const std::vector<LogField>&) override { return true; }
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
  NoLog log_;
  const std::vector<signature::BodyHash> no_hashes_;
  const policies::GatherContext context_;
  MailAllowance allowance_;
};

// Executes the run to its end, which the mail's time may bring.
Task<void> run_to_its_end(Run& run, const policies::GatherContext& context);

}  // namespace sallyport::lua
