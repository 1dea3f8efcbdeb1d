// PoolNeighbours: how the pools of all workers call each other.
//
// Places at a server are counted over all workers (server.h), its connections belong to one worker each. So a pool that
// waits for a place calls the others, which give up what lies idle; and a pool that has released a place for which
// somebody of another pool waits (waiting_room.h) calls that pool. The loops' own timers would find out as well, only
// later.
//
// One object per process; members join and leave, and call, on their own threads.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "gateway/upstream/waiting_room.h"

namespace sallyport::upstream {

class PoolNeighbours {
 public:
  // Runs the function on the thread of the member, soon; from any thread.
  using Post = std::function<void(std::function<void()>)>;

  // One pool among the others. Its destructor, on the member's thread, leaves: a function that was posted and has not
  // run must then run no more, as a loop that is destroyed drops them.
  class Member {
   public:
    Member(PoolNeighbours& neighbours, Post post, std::function<void()> called);
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    ~Member();

    // Each of the others has its `called` run once, soon.
    void call_others() noexcept;
    // Has its own `called` run once, soon. From any thread, while it lives.
    void call() noexcept;

   private:
    PoolNeighbours& neighbours_;
    Post post_;
    std::function<void()> called_;
    std::atomic<bool> is_called_{false};  // posted, and has not run yet
  };

  // Who of all pools waits.
  WaitingRoom& room() { return room_; }

 private:
  WaitingRoom room_;
  std::mutex mutex_;  // guards members_, and that its members live
  std::vector<Member*> members_;
};

}  // namespace sallyport::upstream
