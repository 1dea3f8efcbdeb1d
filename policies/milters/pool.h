// MilterPool: the connections of one worker to the milters, by address.
//
// A milter has so many connections at most. Those who hold one and say nothing on it (their client is slow, or between
// two mails) have to give it to who needs one now, the one that has rested longest first: the holder says again on
// another connection what it had said (session.h). So no client, however slow, keeps a milter from the mail of others.
// Where all connections are busy, who comes waits.
//
// A connection whose session has ended is kept for another one, where both sides have the word for it (QUIT_NC) and
// nothing has gone wrong on it; for a minute at most. That word goes out with the next session's first, or after a
// second. A milter that cannot be reached several times in a row is left
// alone for two seconds at a time, and then tried by one. What was learned outlives configurations.
//
// On the worker's thread; it outlives all that holds its connections.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/async/intrusive_list.h"
#include "gateway/async/nursery.h"
#include "gateway/async/scheduler.h"
#include "gateway/async/wait.h"
#include "gateway/base/log.h"
#include "gateway/io/dialer.h"
#include "gateway/io/resolver.h"
#include "gateway/mail/spool.h"
#include "policies/milters/connection.h"
#include "policies/milters/settings.h"

namespace sallyport::policies {

// Who has a connection on which nothing is being said.
class MilterHolder : public async::ListNode {
 public:
  // Called when another one needs the connection. It is not at rest any more then.
  virtual std::unique_ptr<MilterConnection> give_up() noexcept = 0;

 protected:
  ~MilterHolder() = default;
};

class MilterPool {
 public:
  using Acquired = Result<std::unique_ptr<MilterConnection>, MilterTrouble>;

  // All of it outlives the pool.
  MilterPool(async::Scheduler& scheduler, io::Dialer& dialer, Log& log)
      : scheduler_(scheduler), dialer_(dialer), log_(log), tasks_(scheduler) {}

  // Each of so many workers has its part of the connections that a milter may have. Before the first use.
  void divide_among(std::size_t workers) { workers_ = workers; }

  // A connection on which terms are agreed on, and no SMTP session has begun. `anew`: one that nobody has used.
  Task<Acquired> acquire(const MilterSettings& milter, io::Resolver& resolver, Time deadline, bool anew);
  // The session that it was for has ended.
  void give_back(const MilterSettings& milter, std::unique_ptr<MilterConnection> connection) noexcept;
  // Nothing is said on the holder's connection from now on, until the holder unlinks itself.
  void rest(const MilterSettings& milter, MilterHolder& holder) { hub_of(milter).resting.push_back(holder); }

  // What is known of one milter; for tests.
  std::size_t open_connections(const MilterSettings& milter) { return hub_of(milter).open; }
  std::size_t idle_connections(const MilterSettings& milter) { return hub_of(milter).idle.size(); }

 private:
  struct Idle {
    std::unique_ptr<MilterConnection> connection;
    Time since;
    bool is_told = false;  // the milter knows that the session has ended
  };
  // All about one address.
  struct Hub {
    std::size_t open = 0;  // connections, those being made too
    async::ListHead resting;
    std::list<async::Signal*> waiting;
    std::vector<Idle> idle;
    unsigned failures = 0;  // in a row, to connect and agree
    bool is_down = false;   // `failures` are too many
    Time next_try{};
    bool is_trying = false;
    bool is_swept = false;  // sweep() is under way
    std::string last_failure;
  };
  class Place;
  class Waiting;
  class Try;

  Hub& hub_of(const MilterSettings& milter);
  std::size_t most(const MilterSettings& milter) const;
  std::unique_ptr<MilterConnection> take_idle(Hub& hub);
  std::unique_ptr<MilterConnection> take_resting(Hub& hub);
  Task<Acquired> open(const MilterSettings& milter, Hub& hub, std::shared_ptr<void> place, io::Resolver& resolver,
                      Time deadline);
  Task<Result<std::unique_ptr<io::Stream>, MilterTrouble>> dial(const Endpoint& at, io::Resolver& resolver,
                                                                Time deadline);
  void note(const MilterSettings& milter, Hub& hub, const MilterTrouble* trouble);
  Task<void> part_with(std::unique_ptr<MilterConnection> connection);
  Task<void> sweep(Hub& hub);
  void dismiss(std::unique_ptr<MilterConnection> connection) noexcept;

  async::Scheduler& scheduler_;
  io::Dialer& dialer_;
  Log& log_;
  std::size_t workers_ = 1;
  std::map<std::string, Hub> hubs_;  // by address; a map, so that they stay where they are
  async::Nursery tasks_;             // farewells; last, as they use the rest
};

// What milters are reached by. The composition root puts it where policies keep what outlives a configuration
// (policies::Learned), one for each worker. A null pool: none are asked, as in a dry run.
struct MilterServices {
  MilterPool* pool = nullptr;
  mail::Spool* spool = nullptr;  // for bodies in place of a mail's own
};

}  // namespace sallyport::policies
