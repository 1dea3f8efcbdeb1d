// Policy: one check, in two halves. gather() finds out and may wait; judge() decides from the facts and nothing else.
//
// That is why a dry run, the log, `why` and shadow mode need no second implementation: they run the same judges on
// stored facts. A policy object is made per worker, holds its settings and nothing of any mail.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/io/resolver.h"
#include "policies/api/facts.h"
#include "policies/api/stage.h"
#include "policies/api/transaction.h"
#include "policies/api/verdict.h"

namespace sallyport::policies {

// What gather() may use of the world.
struct Surroundings {
  async::Scheduler& scheduler;
  io::Resolver& resolver;  // counts questions against the mail's budget
  Counters& counters;
  Log& log;
  Time deadline;  // of the whole stage
};

// Fed the body's octets as they will be sent upstream, while they stream past (body hashes).
class BodyObserver {
 public:
  virtual ~BodyObserver() = default;
  virtual void body(std::string_view octets) = 0;
  // The body has ended; what was found goes into the facts.
  virtual void end(Facts& facts) = 0;
};

class Policy {
 public:
  virtual ~Policy() = default;

  virtual std::string_view name() const = 0;
  virtual Mode mode() const = 0;

  // Whether there is something to find out, or to say, at this stage.
  virtual bool gathers_at(Stage stage) const = 0;
  virtual bool judges_at(Stage stage) const = 0;
  // Its turn to gather within a stage: those of one turn run together, and begin when those of lower turns have ended.
  // Who reads what others have found comes after them.
  enum class Turn : std::uint8_t { first, on_identifiers, on_everything };
  virtual Turn gather_turn() const { return Turn::first; }

  // Facts of the connection and helo stages hold for all mails of the connection. gather() writes its own field of
  // `facts` and no other; when it cannot find out it says so there and does not throw. It may be ended where it waits.
  virtual Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const = 0;
  virtual Verdict judge(Stage stage, const Transaction& mail, const Facts& facts) const = 0;

  // Tests what the policy relies on, apart from any mail (a list's test points): run by the application at the start
  // and every five minutes, with a deadline of its own. Most policies have nothing to test.
  virtual Task<void> self_test(Surroundings around) const;

  // Asked once per mail, when its header section is complete; most policies have no use for the body's octets.
  virtual std::unique_ptr<BodyObserver> observe_body(const Transaction&) const { return nullptr; }
};

}  // namespace sallyport::policies
