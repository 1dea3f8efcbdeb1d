// SessionTable: counts open sessions, in total and per client network (an IPv4 address, an IPv6 /64), for
// limits.sessions and limits.sessions_per_ip (threats.md R5).
//
// Of several tenants, none has more than half of all places for its mails.
//
// One per process, shared by all workers. A session holds a Slot; destroying it frees the place, however the session
// ends. Networks without a session are not stored, so memory is bounded by the number of sessions.
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
  // Must outlive every slot.
  ~SessionTable() override;

  std::unique_ptr<Slot> take(const IpAddress& client, Share share = Share::limited) override;
  std::unique_ptr<Slot> take_for_mail(std::uint64_t tenant) override;
  // Called at a reload; applies to new sessions only.
  void set_limits(SessionLimits limits);

  std::uint64_t sessions() const { return sessions_.load(std::memory_order_relaxed); }
  std::uint64_t most_sessions() const { return max_sessions_.load(std::memory_order_relaxed); }
  std::uint64_t sessions_of(const IpAddress& client) const;

 private:
  class TakenSlot;
  class MailSlot;
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<IpAddress, std::uint64_t> sessions;  // by network; the hash has a random seed
  };
  Shard& shard_of(const IpAddress& network) const;
  bool enter(const IpAddress& network, Share share);
  void leave(const IpAddress& network) noexcept;

  std::atomic<std::uint64_t> max_sessions_;
  std::atomic<std::uint64_t> max_per_client_;
  std::atomic<std::uint64_t> sessions_{0};
  std::mutex mails_mutex_;
  std::unordered_map<std::uint64_t, std::uint64_t> mails_;  // under way, by tenant
  std::unique_ptr<Shard[]> shards_;
};

// The network that a client is counted under: an IPv4 address, or an IPv6 /64, since an IPv6 client can choose
// addresses within it.
IpAddress client_network(const IpAddress& client);

}  // namespace sallyport::state
