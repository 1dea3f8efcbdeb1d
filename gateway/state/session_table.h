// How many sessions are open: in all, and per client network (an IPv4 address, an IPv6 /64), for limits.sessions and
// limits.sessions_per_ip (threats.md R5).
//
// One for the process, shared by all workers. A session holds its slot; when it ends, however it ends, its place is
// free again. Bounded by the sessions themselves: a network without one is not kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "gateway/base/address.h"
#include "gateway/io/session_slots.h"

namespace sallyport::state {

struct SessionLimits {
  std::uint64_t sessions = 20000;
  std::uint64_t sessions_per_ip = 50;
};

class SessionTable final : public io::SessionSlots {
 public:
  explicit SessionTable(SessionLimits limits);
  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;
  // Outlives every slot.
  ~SessionTable() override;

  std::unique_ptr<Slot> take(const IpAddress& client) override;
  bool are_scarce() const override;
  // For sessions that come from now on, after a reload; those that are open stay.
  void set_limits(SessionLimits limits);

  std::uint64_t sessions() const { return sessions_.load(std::memory_order_relaxed); }
  std::uint64_t sessions_of(const IpAddress& client) const;

 private:
  class TakenSlot;
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<IpAddress, std::uint64_t> sessions;  // by network; its hash is seeded
  };
  Shard& shard_of(const IpAddress& network) const;
  bool enter(const IpAddress& network);
  void leave(const IpAddress& network) noexcept;

  std::atomic<std::uint64_t> max_sessions_;
  std::atomic<std::uint64_t> max_per_client_;
  std::atomic<std::uint64_t> sessions_{0};
  std::unique_ptr<Shard[]> shards_;
};

// What of a client's address is counted together: an IPv6 client has a whole /64 to choose addresses from.
IpAddress client_network(const IpAddress& client);

}  // namespace sallyport::state
