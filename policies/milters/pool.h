// MilterPool: the connections of one worker to the milters, by address.
//
// A milter has so many connections at most. Those who hold one and say nothing on it (their client is slow, or between
// two mails) have to give it to who needs one now, the one that has rested longest first: the holder says again on
// another connection what it had said (session.h). So no client, however slow, keeps a milter from the mail of others.
// Where all connections are busy, who comes waits. Clients of one network hold at most half of them: a stranger whose
// mails keep a milter busy for long leaves the other half to others.
//
// A connection whose session has ended is kept for another one, where both sides have the word for it (QUIT_NC) and
// nothing has gone wrong on it; for a minute at most. That word goes out with the next session's first, or after a
// second. A milter that cannot be reached several times in a row is left
// alone for two seconds at a time, and then tried by one. What was learned outlives configurations.
//
// On the worker's thread; it outlives all that holds its connections.
#pragma once

#include <cstdint>
#include <functional>
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
#include "policies/api/transaction.h"
#include "policies/milters/connection.h"
#include "policies/milters/settings.h"

namespace sallyport::policies {

// For whom a milter is asked.
struct MilterUser {
  explicit MilterUser(const Client& client);

  std::string network;     // the client's IPv4 address, or its IPv6 /48
  bool is_limited = true;  // false: trusted, so that it may hold all connections
};

// Who has a connection on which nothing is being said.
class MilterHolder : public async::ListNode {
 public:
  virtual const MilterUser& user() const noexcept = 0;
  // Called when another one needs the connection. It is not at rest any more then.
  virtual std::unique_ptr<MilterConnection> give_up() noexcept = 0;

 protected:
  ~MilterHolder() = default;
};

class MilterPool {
 public:
  using Acquired = Result<std::unique_ptr<MilterConnection>, MilterTrouble>;
  struct Idle {  // one that is kept
    std::unique_ptr<MilterConnection> connection;
    Time since;
    bool is_told = false;  // the milter knows that the session has ended
  };
  class Waiting;
  // All about one milter's address. Only the pool looks into it.
  struct Hub {
    std::size_t most = 1;                     // connections that there may be
    std::size_t open = 0;                     // connections, those being made too
    std::map<std::string, std::size_t> held;  // of them by clients, by their networks
    async::ListHead resting;
    std::list<Waiting*> waiting;

    bool has_share_left(const MilterUser& user) const;
    bool has_resting_of(const MilterUser& user);
    // The first who waits and may have one now; null: nobody.
    Waiting* next();
    void wake();
    std::vector<Idle> idle;
    unsigned failures = 0;  // in a row, to connect and agree
    bool is_down = false;   // `failures` are too many
    Time next_try{};
    bool is_trying = false;
    bool is_swept = false;  // sweep() is under way
    std::string last_failure;
  };

  // All of it outlives the pool.
  MilterPool(async::Scheduler& scheduler, io::Dialer& dialer, Log& log)
      : scheduler_(scheduler), dialer_(dialer), log_(log), tasks_(scheduler) {}

  // Each of so many workers has its part of the connections that a milter may have. Before the first use.
  void divide_among(std::size_t workers) { workers_ = workers; }

  // All about the milter's address; valid as long as the pool.
  Hub& hub_of(const MilterSettings& milter);

  // A connection on which terms are agreed on, and no SMTP session has begun. `anew`: one that nobody has used. `user`
  // outlives the task.
  Task<Acquired> acquire(Hub& hub, const MilterSettings& milter, const MilterUser& user, io::Resolver& resolver,
                         Time deadline, bool anew);
  // The session that it was for has ended.
  void give_back(Hub& hub, bool may_be_reused, std::unique_ptr<MilterConnection> connection) noexcept;
  // Nothing is said on the holder's connection from now on, until the holder unlinks itself.
  static void rest(Hub& hub, MilterHolder& holder);

 private:
  class Place;
  class Held;
  class Try;

  std::size_t most(const MilterSettings& milter) const;
  std::unique_ptr<MilterConnection> take_idle(Hub& hub);
  // `of`: only from clients of this one's network; null: from anybody.
  std::unique_ptr<MilterConnection> take_resting(Hub& hub, const MilterUser* of);
  // One that is there; null: a new one may be made, or has to be waited for.
  std::unique_ptr<MilterConnection> take_kept(Hub& hub, const MilterUser& user, bool anew);
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
  // How many sessions there are of a client's address, or IPv6 /64; empty: nobody knows.
  std::function<std::uint64_t(const IpAddress&)> sessions_of = {};
};

}  // namespace sallyport::policies
