#include "gateway/milter_library/workers.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "gateway/milter_library/system_log.h"

namespace sallyport::milter_library {

namespace {

constexpr int fewest_workers = 2;
constexpr int idle_milliseconds = 10000;  // of a worker above the fewest
constexpr std::uint32_t most_started_at_once = 32;
constexpr std::size_t buffer_octets = std::size_t{64} * 1024;
constexpr std::size_t kept_answer_octets = std::size_t{64} * 1024;

// The way of one session's answers. It lives as long as a worker is busy with the connection.
class SocketHost : public SessionHost {
 public:
  SocketHost(const Filter& filter, int descriptor, std::uint32_t io_seconds, const std::atomic<Stopping>& stopping)
      : SessionHost(filter), descriptor_(descriptor), io_seconds_(io_seconds), stopping_(stopping) {}

  bool send() override {
    std::string_view rest = answers;
    std::uint32_t waited_seconds = 0;
    while (!rest.empty()) {
      const ::ssize_t sent = ::send(descriptor_, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        rest.remove_prefix(static_cast<std::size_t>(sent));
        waited_seconds = 0;
        continue;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN || stopping_ == Stopping::at_once || waited_seconds >= io_seconds_) return false;
      ::pollfd room{descriptor_, POLLOUT, 0};
      if (::poll(&room, 1, 1000) == 0) ++waited_seconds;
    }
    answers.clear();
    if (answers.capacity() > kept_answer_octets) answers.shrink_to_fit();
    return true;
  }

  void report(std::string_view what) override { log_line(Gravity::warning, filter.name, what); }

 private:
  int descriptor_;
  std::uint32_t io_seconds_;
  const std::atomic<Stopping>& stopping_;
};

}  // namespace

bool Workers::start() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  end_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  busy_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !end_ || !busy_) return false;
  ::epoll_event ending{EPOLLIN, {nullptr}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, end_.get(), &ending) != 0) return false;
  for (int i = 0; i < fewest_workers; ++i) {
    if (!start_one()) return i > 0;
  }
  return true;
}

void Workers::say_busy() {
  if (is_said_busy_.exchange(true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(busy_.get(), &one, sizeof one);
}

bool Workers::grow() {
  const std::uint32_t taken = taken_;
  const std::uint32_t progress = taken - std::exchange(taken_before_, taken);
  const std::uint32_t started = std::exchange(started_before_, 0);
  if (waiting_ > 0 || is_ended_) {
    next_growth_ = 1;
    return false;
  }
  ::pollfd readable{epoll_.get(), POLLIN, 0};
  // What the workers just started have taken is no progress: they may be held up as well.
  if (progress > started || ::poll(&readable, 1, 0) == 0) {
    next_growth_ = 1;
    return true;
  }
  started_before_ = next_growth_;
  for (std::uint32_t i = 0; i < started_before_; ++i) start_one();
  next_growth_ = std::min(next_growth_ * 2, most_started_at_once);
  return true;
}

void Workers::calm() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto octets = ::read(busy_.get(), &count, sizeof count);
  is_said_busy_ = false;
  if (waiting_ == 0) say_busy();  // it was said while the flag was still set
}

bool Workers::start_one() {
  ++waiting_;  // before it runs, so that grow() starts no other for the same want
  {
    const std::lock_guard lock(mutex_);
    ++running_;
  }
  try {
    // Here and not in the thread: who calls is told that there is no memory for it, and that this worker does not come.
    auto buffer = std::make_unique_for_overwrite<char[]>(buffer_octets);
    std::thread([self = shared_from_this(), buffer = std::move(buffer)] { self->run(buffer.get()); }).detach();
    return true;
  } catch (const std::exception&) {
    // The connections wait for the workers that there are.
    --waiting_;
    const std::lock_guard lock(mutex_);
    --running_;
    return false;
  }
}

bool Workers::add(int descriptor) try {
  Connection& connection = connections_.add(descriptor, monotonic_seconds() + rules_.io_seconds);
  ::epoll_event readable{EPOLLIN | EPOLLONESHOT, {&connection}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &readable) == 0) return true;
  connections_.remove(connection);
  return false;
} catch (const std::bad_alloc&) {
  return false;
}

void Workers::run(char* buffer) {
  while (Connection* connection = wait()) {
    ++taken_;
    if (waiting_.fetch_sub(1) == 1) say_busy();
    serve(*connection, buffer);
    ++waiting_;
  }
  --waiting_;
  const std::lock_guard lock(mutex_);
  --running_;
  all_gone_.notify_all();
}

// Null: this worker is not needed any more.
Connection* Workers::wait() {
  while (true) {
    ::epoll_event event{};
    const int count = ::epoll_wait(epoll_.get(), &event, 1, idle_milliseconds);
    if (is_ended_) return nullptr;
    if (count > 0 && event.data.ptr != nullptr) return static_cast<Connection*>(event.data.ptr);
    if (count == 0 && waiting_ > fewest_workers) return nullptr;
    if (count < 0 && errno != EINTR) return nullptr;
  }
}

void Workers::serve(Connection& connection, char* buffer) {
  // A command that comes in ever new pieces has no more time than one that comes at once.
  std::uint32_t deadline = connection.wait.exchange(0) & ~Connection::in_message;
  bool goes_on = false;
  try {
    goes_on = read_and_take(connection, buffer, deadline);
  } catch (const std::exception& error) {
    log_line(Gravity::error, filter_.name, error.what());
  } catch (...) {
    log_line(Gravity::error, filter_.name, "a callback has thrown something that is no exception");
  }
  if (goes_on && arm(connection, deadline)) return;
  SocketHost host(filter_, connection.descriptor, rules_.io_seconds, stopping_);
  connection.session.finish(host);  // xxfi_close is due even where nothing came
  connections_.remove(connection);
}

// False: the connection is over. The deadline is put off by a whole packet.
bool Workers::read_and_take(Connection& connection, char* buffer, std::uint32_t& deadline) {
  const ::ssize_t count = ::recv(connection.descriptor, buffer, buffer_octets, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (count <= 0) return false;
  SocketHost host(filter_, connection.descriptor, rules_.io_seconds, stopping_);
  milter::PacketReader reader(rules_.most_data_octets + 1);
  if (connection.reader) {
    reader = std::move(*connection.reader);
    connection.reader.reset();
  }
  std::string_view input(buffer, static_cast<std::size_t>(count));
  while (!input.empty()) {
    const auto status = reader.read(input);
    if (status == milter::PacketReader::Status::malformed) {
      host.report("the MTA has sent a packet of impossible length");
      return false;
    }
    if (status == milter::PacketReader::Status::want_more) break;
    if (!connection.session.take(reader.packet(), host) || !host.send()) return false;
    if (stopping_ == Stopping::at_once) return false;
    deadline = monotonic_seconds() + rules_.io_seconds;
  }
  if (reader.is_in_packet()) connection.reader = std::make_unique<milter::PacketReader>(std::move(reader));
  return true;
}

bool Workers::arm(Connection& connection, std::uint32_t deadline) {
  // Once it is armed it may be another worker's, and gone: nothing of it is looked at then. What that worker reads of
  // it was written before `wait`, which it looks at first.
  const int descriptor = connection.descriptor;
  // A stop that comes between its look at this connection and the arming finds the deadline set, and ends it.
  const bool is_in_message = connection.session.is_in_message();
  connection.wait = Connection::waiting_until(deadline, is_in_message);
  if (stopping_ == Stopping::at_once || (stopping_ == Stopping::gracefully && !is_in_message)) return false;
  ::epoll_event readable{EPOLLIN | EPOLLONESHOT, {&connection}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &readable) == 0;
}

bool Workers::end(int patience_seconds) {
  is_ended_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(end_.get(), &one, sizeof one);
  std::unique_lock lock(mutex_);
  return all_gone_.wait_for(lock, std::chrono::seconds(patience_seconds), [this] { return running_ == 0; });
}

}  // namespace sallyport::milter_library
