// WaitingRoom: who waits for a place at a server, over all workers, in the order of arrival; where mails of several
// tenants wait, the tenants take turns, however many each has waiting (async/fair_order.h). Who leaves without a
// connection has had no turn.
//
// Places are counted over all workers (server.h), and so is who waits for them: a place that becomes free goes to the
// first who can use it, whichever worker it belongs to, and while somebody waits for a server, nobody takes a place of
// it without waiting. A worker that gives up a connection for those who wait announces that first (clear()): then one
// of them counts as provided for, and so no more connections are given up than there are guests.
//
// One object per process, in PoolNeighbours; pools enter, leave and offer on their own threads, under one mutex. Where
// nobody waits, none of it is called: UpstreamServer::waiting() says so.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "gateway/async/fair_order.h"
#include "gateway/async/intrusive_list.h"
#include "gateway/base/units.h"
#include "gateway/upstream/server.h"

namespace sallyport::upstream {

class WaitingRoom {
 public:
  class Clearing;

  // One who waits. It belongs to a pool, and is created, used and destroyed on that pool's thread; what derives from it
  // calls leave() in its destructor.
  class Guest : public async::ListNode {
   public:
    // `owner` is the pool, as a key. `most`: as for UpstreamServer::acquire_slot().
    // `payer`: whose turn it is when it is served.
    Guest(const void* owner, std::uint64_t most, async::Payer payer = 0) : owner_(owner), most_(most), payer_(payer) {}

    // True while it waits: it has entered, and has neither left nor got a place.
    bool is_waiting() const noexcept { return is_waiting_.load(); }
    // True if it has a place that it has not taken yet.
    bool has_grant() const noexcept { return granted_.load() != nullptr; }
    // Where it waits, or has waited last.
    const std::vector<UpstreamServer*>& servers() const noexcept { return servers_; }
    bool wants(const UpstreamServer& server) const noexcept;

   protected:
    ~Guest() = default;

   private:
    friend class WaitingRoom;
    // A place was granted to it; called under the room's lock. `by` is the pool on whose thread that happens.
    virtual void has_been_granted(const void* by) noexcept = 0;

    const void* owner_;
    const std::uint64_t most_;
    const async::Payer payer_;
    // Changed by its own pool alone, under the lock; so that pool may read it without.
    std::vector<UpstreamServer*> servers_;
    std::uint64_t ticket_ = 0;  // its place among those of its payer, in the order of arrival; 0: it has none yet
    bool has_had_turn_ = false;
    Clearing* provision_ = nullptr;
    std::atomic<bool> is_waiting_{false};
    std::atomic<UpstreamServer*> granted_{nullptr};
  };

  // A connection that is being given up for a guest. Destroyed after the place was released.
  class Clearing : public async::ListNode {
   public:
    Clearing(WaitingRoom& room, UpstreamServer& server) : room_(room), server_(server) {}
    ~Clearing();

   private:
    friend class WaitingRoom;
    WaitingRoom& room_;
    UpstreamServer& server_;  // the connection that is given up keeps it alive
    Guest* for_ = nullptr;    // null: that guest has left, or got another place
  };

  WaitingRoom() = default;
  WaitingRoom(const WaitingRoom&) = delete;
  WaitingRoom& operator=(const WaitingRoom&) = delete;

  // The guest waits for a place at one of these servers from now on; when it waited already, these take the place of
  // the former ones. A guest that comes back, because the place it had got was none, has its former place in the order.
  void enter(Guest& guest, std::vector<UpstreamServer*> servers) noexcept;
  // It waits no more. A place that was granted and not taken is released. `served`: it was its turn, and it has got a
  // connection.
  enum class Leaving : std::uint8_t { unserved, served };
  void leave(Guest& guest, Time now, Leaving how = Leaving::unserved) noexcept;
  // The connection that it had got was not used: it has had no turn.
  void give_turn_back(Guest& guest) noexcept;
  // The server at which it was granted a place, which is its own from here on; or null.
  UpstreamServer* take_grant(Guest& guest) noexcept;

  // Gives the places that the server has to those who wait for it, as far as they go.
  void offer(UpstreamServer& server, Time now, const void* by) noexcept;
  // A connection to the server can be given up: null if all who wait for the server are provided for, or it is down;
  // else it has to be given up, and one of them is provided for. Guests of the pool `not_of` do not count.
  std::unique_ptr<Clearing> clear(UpstreamServer& server, Time now, const void* not_of = nullptr);
  // True if clear() would give something.
  bool is_wanted(const UpstreamServer& server, Time now) const noexcept;
  // Whose turn it is at this moment.
  async::FairTurns turns() const noexcept;
  // True if the connection is being given up for a guest of another pool.
  bool is_for_another(const Clearing& clearing, const void* owner) const noexcept;

 private:
  Guest* first_unprovided(const UpstreamServer& server, const void* not_of) const noexcept;
  // The guest is provided for by something else; whoever else waits for that server gets the provision.
  void part(Guest& guest) noexcept;
  void find_provision(Guest& guest) noexcept;
  void count(Guest& guest, int change) noexcept;
  void serve(Guest& guest) noexcept;
  void take_turn_back(Guest& guest) noexcept;

  mutable std::mutex mutex_;  // guards what follows, and the guests' and clearings' members
  async::FairQueue guests_;   // those who wait
  async::ListHead clearings_;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace sallyport::upstream
