// UpstreamPool: the upstream connections of one worker. It opens them when needed, keeps them for the next mail, and
// closes them when they have been idle for 30 s.
//
// A kept connection saves each mail the connect, greeting, EHLO, TLS handshake and QUIT. The number of connections to
// one server is limited over all workers (upstreams.*.max_connections). When all are in use, acquire() waits until one
// is given back.
//
// After a reload, sessions that began earlier still ask for the groups of their older configuration. Each group is used
// with its own settings; servers that stand in both configurations are shared, with their kept connections.
//
// Used on its worker's loop only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_set>
#include <vector>

#include "gateway/async/intrusive_list.h"
#include "gateway/async/nursery.h"
#include "gateway/async/wait.h"
#include "gateway/base/counters.h"
#include "gateway/io/dialer.h"
#include "gateway/upstream/channel.h"
#include "gateway/upstream/group.h"

namespace sallyport::upstream {

// A server that failed, and the reason. The group keeps the server alive.
struct FailedServer {
  UpstreamServer* server;
  UpstreamError error;
};

class UpstreamPool {
 public:
  // `current`: the groups of the configuration in force.
  UpstreamPool(async::Scheduler& scheduler, io::Dialer& dialer, Counters& counters, UpstreamGroups current);
  ~UpstreamPool();

  // Called after a reload, on the pool's loop: from now on these groups are probed. Kept connections to servers that
  // none of them names are closed with QUIT; connections in use are closed when they are given back.
  void adopt(UpstreamGroups current);

  // A connection on loan from the pool. Destroying a lease without give_back() resets the connection and frees its
  // slot.
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
    // True if it has served another mail before, so that the server may have closed it meanwhile (U9).
    bool is_reused() const { return reused_; }

   private:
    friend class UpstreamPool;
    void swap(Lease& other) noexcept;

    UpstreamPool* pool_ = nullptr;
    std::shared_ptr<UpstreamServer> server_;
    std::unique_ptr<UpstreamChannel> channel_;
    bool reused_ = false;
    bool for_others_ = false;  // when it ends, our own waiters are not woken: its slot is for another worker
  };

  // Gives a connection to one of the group's servers that are not in `failed`: a kept one, else a new one; `fresh`
  // demands a new one. A server that cannot be reached is added to `failed`, and the next is tried. When no server is
  // left, the last failure is removed from `failed` and returned as the error. Waits for a free connection until
  // `deadline`, then gives `timed_out`. The caller keeps the group alive until the lease is gone.
  Task<Result<Lease, UpstreamError>> acquire(const UpstreamGroup& group, std::vector<FailedServer>& failed, bool fresh,
                                             Time deadline);
  // Gives the connection back to be kept for another mail. `needs_reset`: a transaction is open, so RSET is sent first,
  // in the background. A connection that is no longer usable, or cannot be kept for lack of memory, is closed: the end
  // of a mail never fails for lack of memory.
  void give_back(Lease lease, bool needs_reset) noexcept;

  // Connects to every server of the current groups to learn its extensions: at the start, when a reload adds it, and
  // again when it has answered nothing for health_interval. Runs until it is cancelled. One worker does this for all.
  Task<void> probe_for_ever();
  // Says QUIT on all idle connections; called when the worker stops.
  Task<void> close_idle();
  std::size_t idle() const { return idle_.size(); }

 private:
  struct Idle {
    std::shared_ptr<UpstreamServer> server;
    std::unique_ptr<UpstreamChannel> channel;
    Time since;
  };
  class Waiter;
  class Slot;
  // Orders the groups that have waiters: those of an older configuration are woken first, because they usually came
  // first and will not get many new waiters.
  struct OlderFirst {
    bool operator()(const UpstreamGroup* a, const UpstreamGroup* b) const noexcept {
      return a->serial != b->serial ? a->serial < b->serial : std::less<>()(a, b);
    }
  };

  UpstreamError why_none_is_up(const UpstreamGroup& group) const;
  std::vector<UpstreamServer*> candidates(const UpstreamGroup& group, const std::vector<FailedServer>& failed) const;
  bool is_current(const UpstreamServer& server) const { return current_servers_.count(&server) != 0; }
  Lease take_idle(UpstreamServer& server);
  // Takes the connection at `index` out of idle_ and makes it a lease again.
  Lease unshelve(std::size_t index);
  Lease lease_of(std::shared_ptr<UpstreamServer> server, std::unique_ptr<UpstreamChannel> channel, bool reused);
  void wake_waiters();
  // How many groups of this worker have waiters for a slot of the server; usually one at most.
  int waiting_for(const UpstreamServer& server) const;
  bool is_due_to_others(const UpstreamServer& server);
  Task<Result<Lease, UpstreamError>> open(const UpstreamGroup& group, Slot slot, Duration connect_patience);
  void keep(Lease lease);
  void drop_slot(UpstreamServer& server);
  Task<void> reset_and_keep(Lease lease);
  Task<void> retire(Lease lease);
  Task<void> sweep();
  void retire_old();
  // Starts the probes that are due; returns how long to wait before the next round.
  Duration start_probes();
  Task<void> probe(std::shared_ptr<const UpstreamGroup> group, std::shared_ptr<UpstreamServer> server);

  async::Scheduler& scheduler_;
  io::Dialer& dialer_;
  Counters& counters_;
  UpstreamGroups current_;
  std::unordered_set<const UpstreamServer*> current_servers_;
  async::Signal adopted_;   // wakes probe_for_ever()
  std::vector<Idle> idle_;  // the most recently used last
  // For each group that has waiters, these in the order of their arrival.
  std::map<const UpstreamGroup*, async::ListHead, OlderFirst> waiting_;
  bool sweeping_ = false;
  bool gave_away_last_ = false;
  async::Nursery background_;  // RSETs and QUITs in progress; last member, so that it is destroyed first
};

}  // namespace sallyport::upstream
