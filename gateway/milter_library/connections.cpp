#include "gateway/milter_library/connections.h"

#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <span>
#include <utility>

#include "gateway/base/descriptor.h"

namespace sallyport::milter_library {

namespace {

constexpr std::size_t block_entries = 128;

}  // namespace

std::uint32_t monotonic_seconds() {
  ::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint32_t>(now.tv_sec);
}

void Connections::add_block() {
  blocks_.push_back(std::make_unique<Connection[]>(block_entries));
  for (Connection& connection : std::span(blocks_.back().get(), block_entries))
    connection.next_free = std::exchange(free_, &connection);
}

template <class What>
void Connections::for_each_waiting(const What& what) {
  for (const auto& block : blocks_) {
    for (Connection& connection : std::span(block.get(), block_entries)) {
      const std::uint32_t wait = connection.wait;
      if (connection.descriptor >= 0 && wait != 0) what(connection, wait);
    }
  }
}

Connection& Connections::add(int descriptor, std::uint32_t deadline) {
  Descriptor owned(descriptor);
  const std::lock_guard lock(mutex_);
  if (free_ == nullptr) add_block();
  Connection& connection = *std::exchange(free_, free_->next_free);
  connection.descriptor = owned.release();
  connection.wait = Connection::waiting_until(deadline, false);
  ++count_;
  return connection;
}

void Connections::remove(Connection& connection) {
  connection.session.begin_anew();
  connection.reader.reset();
  const std::lock_guard lock(mutex_);
  ::close(connection.descriptor);
  connection.descriptor = -1;
  connection.next_free = std::exchange(free_, &connection);
  --count_;
}

std::size_t Connections::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

// A connection at its end is readable: a worker reads the end of the stream, and makes the callbacks that are due.
void Connections::end_overdue(std::uint32_t now) {
  const std::lock_guard lock(mutex_);
  for_each_waiting([now](const Connection& connection, std::uint32_t wait) {
    if ((wait & ~Connection::in_message) < now) ::shutdown(connection.descriptor, SHUT_RD);
  });
}

void Connections::end_idle(bool also_in_message) {
  const std::lock_guard lock(mutex_);
  for_each_waiting([also_in_message](const Connection& connection, std::uint32_t wait) {
    if (also_in_message || (wait & Connection::in_message) == 0) ::shutdown(connection.descriptor, SHUT_RD);
  });
}

}  // namespace sallyport::milter_library
