// The connections of MTAs, and when the library has waited long enough for each.
//
// An idle connection costs this entry and a descriptor; that is why it is no libuv handle, and why entries lie side by
// side in blocks, which stay for connections to come.
// The worker that serves a connection owns it: only that worker removes it. Other threads may shut down an idle one,
// which makes a worker come and find its end.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "gateway/milter/packet.h"
#include "gateway/milter_library/session.h"

namespace sallyport::milter_library {

struct Connection {
  int descriptor = -1;  // -1: the entry is free
  // Seconds of the monotonic clock until which the MTA's next command must be complete, and whether a message is under
  // way; 0: a worker is busy with it.
  std::atomic<std::uint32_t> wait = 0;
  Connection* next_free = nullptr;               // of a free entry
  std::unique_ptr<milter::PacketReader> reader;  // in the middle of a packet
  Session session;

  static constexpr std::uint32_t in_message = 0x80000000;
  static std::uint32_t waiting_until(std::uint32_t seconds, bool is_in_message) {
    return seconds | (is_in_message ? in_message : 0);
  }
};

std::uint32_t monotonic_seconds();

class Connections {
 public:
  // Takes the descriptor, also when it throws.
  Connection& add(int descriptor, std::uint32_t deadline);
  void remove(Connection& connection);  // closes its descriptor
  std::size_t count() const;

  // Ends the idle ones whose deadline is over.
  void end_overdue(std::uint32_t now);
  // Ends the idle ones; those in the middle of a message only if told so.
  void end_idle(bool also_in_message);

 private:
  void add_block();
  // Calls `what` with each entry that is in use and waits.
  template <class What>
  void for_each_waiting(const What& what);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Connection[]>> blocks_;
  Connection* free_ = nullptr;  // the first of a chain
  std::size_t count_ = 0;
};

}  // namespace sallyport::milter_library
