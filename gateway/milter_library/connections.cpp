#include "gateway/milter_library/connections.h"

#include <sys/socket.h>
#include <unistd.h>

#include <ctime>

#include "gateway/base/descriptor.h"

namespace sallyport::milter_library {

std::uint32_t monotonic_seconds() {
  ::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint32_t>(now.tv_sec);
}

Connection& Connections::add(int descriptor, std::uint32_t deadline) {
  Descriptor owned(descriptor);
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    if (free_.capacity() < entries_.size() + 1) free_.reserve(entries_.size() + 1024);  // so that remove() needs none
    free_.push_back(&entries_.emplace_back());
  }
  Connection& connection = *free_.back();
  free_.pop_back();
  connection.descriptor = owned.release();
  connection.wait = Connection::waiting_until(deadline, false);
  ++count_;
  return connection;
}

void Connections::remove(Connection& connection) {
  connection.session.reset();
  connection.reader.reset();
  const std::lock_guard lock(mutex_);
  ::close(connection.descriptor);
  connection.descriptor = -1;
  free_.push_back(&connection);
  --count_;
}

std::size_t Connections::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

// A connection at its end is readable: a worker reads the end of the stream, and makes the callbacks that are due.
void Connections::end_overdue(std::uint32_t now) {
  const std::lock_guard lock(mutex_);
  for (const Connection& connection : entries_) {
    const std::uint32_t wait = connection.wait;
    if (connection.descriptor >= 0 && wait != 0 && (wait & ~Connection::in_message) < now)
      ::shutdown(connection.descriptor, SHUT_RD);
  }
}

void Connections::end_idle(bool also_in_message) {
  const std::lock_guard lock(mutex_);
  for (const Connection& connection : entries_) {
    const std::uint32_t wait = connection.wait;
    if (connection.descriptor < 0 || wait == 0) continue;
    if (also_in_message || (wait & Connection::in_message) == 0) ::shutdown(connection.descriptor, SHUT_RD);
  }
}

}  // namespace sallyport::milter_library
