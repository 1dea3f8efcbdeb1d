// UpstreamPool: the upstream connections of one worker. It opens them when needed, keeps them for the next mail, and
// closes them when they are too old, have carried enough mails, or have been idle for too long (connection_age,
// connection_mails, connection_idle).
//
// A kept connection saves each mail the connect, greeting, EHLO, TLS handshake and QUIT. The number of connections to
// one server is limited over all workers: by upstreams.*.max_connections, and by what a full server has let us have
// (server.h). When all are in use, acquire() waits, and what becomes free is handed to the first who can use it
// (waiting_room.h). While somebody waits, of whichever worker, connections that are of no use at the moment are given
// up, one for each who waits: idle ones first, then those of the transaction whose client has been silent longest
// (threats.md U7, U18).
//
// After a reload, sessions that began earlier still ask for the groups of their older configuration. Each group is used
// with its own settings; servers that stand in both configurations are shared, with their kept connections.
//
// Used on its worker's loop only. pool.cpp has the connections that are lent and opened; pool_upkeep.cpp those that are
// kept, handed over, given up and closed, and the probes; waiter.h who waits.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "gateway/async/intrusive_list.h"
#include "gateway/async/nursery.h"
#include "gateway/async/wait.h"
#include "gateway/base/counters.h"
#include "gateway/io/dialer.h"
#include "gateway/upstream/balance.h"
#include "gateway/upstream/channel.h"
#include "gateway/upstream/delivery_client.h"
#include "gateway/upstream/group.h"
#include "gateway/upstream/neighbours.h"
#include "gateway/upstream/server_news.h"
#include "gateway/upstream/silent_transaction.h"

namespace sallyport::upstream {

class UpstreamPool {
 public:
  // `current`: the groups of the configuration in force.
  UpstreamPool(async::Scheduler& scheduler, io::Dialer& dialer, Counters& counters, Log& log, UpstreamGroups current);
  ~UpstreamPool();

  // Before the first mail, where there are several workers. `post` runs a function on this pool's loop.
  void share_places_with(PoolNeighbours& neighbours, PoolNeighbours::Post post);

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
    // True if it has been kept: the server may have closed it meanwhile, or want no further mail on it (U9).
    bool is_reused() const { return reused_; }

   private:
    friend class UpstreamPool;
    void swap(Lease& other) noexcept;

    UpstreamPool* pool_ = nullptr;
    std::shared_ptr<UpstreamServer> server_;
    std::unique_ptr<UpstreamChannel> channel_;
    Retention retention_;
    bool reused_ = false;
    std::unique_ptr<WaitingRoom::Clearing> clearing_;  // it is being given up for one who waits
  };

  struct Wish {
    Time deadline;                              // of the wait for a place
    bool fresh = false;                         // a new connection, not a kept one
    const UpstreamServer* preferred = nullptr;  // this one, if it may be had
    const DeliveryClient* client = nullptr;     // for whom; when it has gone, nothing is waited for: `client_lost`
    const ClientInfo* spoken_for = nullptr;     // a connection that may speak for that client; null: for ourselves
    async::Payer payer = 0;                     // tenants that wait for a place take turns
  };
  // Gives a connection to one of the group's servers that are not in `failed`: a kept one, else a new one. A server
  // that cannot be reached is added to `failed`, and the next is tried; while all that are left are busy, those that
  // have failed are tried again when they may have recovered. When no server is left, the last failure is removed from
  // `failed` and returned as the error. Waits for a free connection until the deadline, then gives `timed_out`. The
  // caller keeps the group alive until the lease is gone. When a server refuses the client that is spoken for, its
  // answer is the error at once (UpstreamError::unwelcome).
  Task<Result<Lease, UpstreamError>> acquire(const UpstreamGroup& group, std::vector<FailedServer>& failed, Wish wish);
  // A new connection to this server, beside the one that the caller has; nothing if it is not to be had at once, within
  // `patience`.
  Task<std::optional<Lease>> acquire_beside(const UpstreamGroup& group, UpstreamServer& server, Duration patience,
                                            const ClientInfo* spoken_for);
  // How many acquire() of this pool wait.
  std::size_t waiting() const;
  // Gives the connection back to be kept for another mail. `needs_reset`: a transaction is open, so RSET is sent first,
  // in the background. A connection that is no longer usable, or cannot be kept for lack of memory, is closed: the end
  // of a mail never fails for lack of memory.
  void give_back(Lease lease, bool needs_reset) noexcept;
  // Closes it with QUIT, in the background.
  void part_with(Lease lease) noexcept;

  // Gives a connection with an open transaction back, for somebody who waits.
  void give_up(Lease lease) noexcept;
  // The transaction says nothing from now on, until it is unlinked: its connection may be given up for others.
  void note_silent(SilentTransaction& transaction);
  // What a transaction has shown of its server (U19).
  void note_served(UpstreamServer& server) { news_.served(server, scheduler_.now()); }
  void note_broken(UpstreamServer& server, const UpstreamError& error) {
    news_.failed_to_serve(server, error, scheduler_.now());
  }
  Counters& counters() { return counters_; }

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
    Time until;
  };
  class Waiter;
  class Slot;
  class Probe;
  UpstreamError why_none_is_up(const UpstreamGroup& group) const;
  bool is_current(const UpstreamServer& server) const { return current_servers_.count(&server) != 0; }
  Lease take_idle(const UpstreamGroup& group, UpstreamServer& server, std::string_view identity);
  bool acquire_slot(const UpstreamGroup& group, UpstreamServer& server);
  // Takes the connection at `index` out of idle_ and makes it a lease again.
  Lease unshelve(std::size_t index);
  Lease lease_of(std::shared_ptr<UpstreamServer> server, std::unique_ptr<UpstreamChannel> channel, Retention retention,
                 bool reused);
  Task<Result<Lease, UpstreamError>> open(const UpstreamGroup& group, Slot slot, UpstreamTimeouts timeouts,
                                          const ClientInfo* spoken_for);
  void drop_slot(UpstreamServer& server);
  WaitingRoom& room() const { return *room_; }

  // pool_upkeep.cpp
  template <class Act>
  void for_each_waiter(Act act) const;
  // The first in turn who waits here for this server, and can use this connection to it; or null.
  Waiter* first_user_of(const UpstreamServer& server, const UpstreamChannel& channel) const;
  // The same for the idle connections to the server.
  Waiter* first_user_of_idle(const UpstreamServer& server) const;
  void keep(Lease lease);
  // Hands what there is of the server to those who wait for it: places, idle connections, and what can be given up.
  void serve(UpstreamServer& server);
  void call_others();
  // Another worker's pool waits for a place, or has handed one to somebody here.
  void look_around();
  // While anybody waits here: looks whether servers have recovered, clients have left, transactions fallen silent.
  Task<void> tend();
  Task<void> reset_and_keep(Lease lease);
  Task<void> retire(Lease lease);
  Task<void> sweep();
  void retire_old();
  // Starts the probes that are due; returns how long to wait before the next round.
  Duration start_probes();
  // Whether a server is down that could not be reached from a client's address.
  void ask_in_our_name(const UpstreamServer& server);
  Task<void> ask_for_health(const UpstreamGroup& group, UpstreamServer& server, Lease& lease);
  Task<void> probe(std::shared_ptr<const UpstreamGroup> group, std::shared_ptr<UpstreamServer> server);

  async::Scheduler& scheduler_;
  const Time began_;
  io::Dialer& dialer_;
  Counters& counters_;
  ServerNews news_;
  UpstreamGroups current_;
  std::unordered_set<const UpstreamServer*> current_servers_;
  async::Signal adopted_;    // wakes probe_for_ever()
  std::vector<Idle> idle_;   // the most recently used last
  async::ListHead silent_;   // the SilentTransactions, the longest silent first
  async::FairRows waiters_;  // those too that are opening a connection after a wait
  std::size_t waiters_count_ = 0;
  async::ListHead probes_;  // those under way
  WaitingRoom own_room_;    // of a pool without neighbours
  WaitingRoom* room_ = &own_room_;
  std::optional<PoolNeighbours::Member> neighbours_;
  bool sweeping_ = false;
  bool tending_ = false;
  bool gave_away_last_ = false;
  async::Nursery background_;  // RSETs and QUITs in progress; last member, so that it is destroyed first
};

}  // namespace sallyport::upstream
