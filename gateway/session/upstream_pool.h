// The upstream connections of one worker: opened when needed, kept for the next mail, dropped when idle for long.
//
// A kept connection saves what a pass-through must pay for every mail: connect, greeting, EHLO, QUIT (and the TLS
// handshake). The number of connections to a server is bounded over all workers (upstreams.*.max_connections); who
// comes too late waits for the next one to be given back.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/async/intrusive_list.h"
#include "gateway/async/nursery.h"
#include "gateway/async/wait.h"
#include "gateway/base/counters.h"
#include "gateway/io/dialer.h"
#include "gateway/session/upstream_board.h"
#include "gateway/session/upstream_channel.h"
#include "gateway/tls/context.h"

namespace sallyport::session {

// One that was asked in vain, and why.
struct FailedServer {
  UpstreamServer* server;
  UpstreamError error;
};

class UpstreamPool {
 public:
  UpstreamPool(async::Scheduler& scheduler, io::Dialer& dialer, UpstreamBoard& board, Counters& counters,
               std::map<std::string, std::shared_ptr<const tls::ClientContext>> tls, std::string ehlo_name,
               UpstreamTimeouts timeouts);
  ~UpstreamPool();

  // A connection on loan. What is not given back is dropped, and its place with it.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept { swap(other); }
    Lease& operator=(Lease&& other) noexcept {
      Lease(std::move(other)).swap(*this);
      return *this;
    }
    ~Lease();

    explicit operator bool() const { return channel_ != nullptr; }
    UpstreamChannel& operator*() const { return *channel_; }
    UpstreamChannel* operator->() const { return channel_.get(); }
    UpstreamServer& server() const { return *server_; }
    // True when it has served another mail before: it may have died of old age (U9).
    bool is_reused() const { return reused_; }

   private:
    friend class UpstreamPool;
    void swap(Lease& other) noexcept;

    UpstreamPool* pool_ = nullptr;
    UpstreamServer* server_ = nullptr;
    std::unique_ptr<UpstreamChannel> channel_;
    bool reused_ = false;
    bool for_others_ = false;  // its place is left to other workers
  };

  // A connection to one of the group's servers, `failed` ones aside: a kept one, else a new one. A server that cannot
  // be reached is added to `failed`, and the next one is asked. When there is nobody left to ask, the last one's
  // failure is taken out of `failed` and is the error. `fresh` asks for a new connection.
  Task<Result<Lease, UpstreamError>> acquire(UpstreamGroup& group, std::vector<FailedServer>& failed, bool fresh,
                                             Time deadline);
  // After a completed mail: kept as it is. In the middle of one: RSET first, then kept. Dropped where there is no
  // memory for that: a mail's end never fails for want of it.
  void give_back(Lease lease, bool needs_reset) noexcept;

  // Asks every server of every group for its abilities at the start, and again when nothing has been heard of it for
  // its health_interval. Runs until it is ended; one worker does it for all.
  Task<void> probe_for_ever();
  // Says QUIT on all idle connections, at the end.
  Task<void> close_idle();
  std::size_t idle() const { return idle_.size(); }

 private:
  struct Idle {
    UpstreamServer* server;
    std::unique_ptr<UpstreamChannel> channel;
    Time since;
  };
  class Waiter;
  class Place;

  UpstreamError why_none_is_up(const UpstreamGroup& group) const;
  std::vector<UpstreamServer*> candidates(UpstreamGroup& group, const std::vector<FailedServer>& failed) const;
  Lease take_idle(UpstreamServer& server);
  // What stands at `index` among the idle, as a lease again.
  Lease unshelve(std::size_t index);
  Lease lease_of(UpstreamServer& server, std::unique_ptr<UpstreamChannel> channel, bool reused);
  void wake_waiters();
  bool waits_for(const UpstreamServer& server) const;
  bool is_due_to_others(const UpstreamServer& server);
  Task<Result<Lease, UpstreamError>> open(UpstreamGroup& group, Place place, Duration connect_patience);
  void keep(Lease lease);
  void drop_place(UpstreamServer& server);
  Task<void> reset_and_keep(Lease lease);
  Task<void> retire(Lease lease);
  Task<void> sweep();
  void retire_old();
  Task<void> probe(UpstreamGroup& group, UpstreamServer& server);

  async::Scheduler& scheduler_;
  io::Dialer& dialer_;
  UpstreamBoard& board_;
  Counters& counters_;
  std::map<std::string, std::shared_ptr<const tls::ClientContext>> tls_;
  std::string ehlo_name_;
  UpstreamTimeouts timeouts_;
  std::vector<Idle> idle_;                                   // the most recently used last
  std::map<const UpstreamGroup*, async::ListHead> waiting_;  // those who wait, in order; no entry without one
  bool sweeping_ = false;
  bool gave_away_last_ = false;
  async::Nursery errands_;  // RSETs and QUITs under way; last, so that it ends first
};

}  // namespace sallyport::session
