#include "gateway/uv/stream_handle.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/uv/errors.h"

namespace sallyport::uv {

using io::Error;

namespace {

constexpr Duration linger_time = std::chrono::seconds(1);
constexpr std::uint32_t most_waste_octets = 256 * 1024;
constexpr std::uint8_t full_reads_for_bulk = 2;
constexpr std::size_t buffers_per_call = 128;

StreamHandle& handle_of(void* raw_data) { return *static_cast<StreamHandle*>(static_cast<Handle*>(raw_data)); }

// The const_cast is safe: libuv only reads from a buffer that is written to a socket.
uv_buf_t buffer_of(std::string_view octets) {
  return uv_buf_init(const_cast<char*>(octets.data()), static_cast<unsigned>(octets.size()));
}

}  // namespace

StreamHandle::StreamHandle(Loop& loop, Kind kind)
    : loop_(loop), kind_(kind), read_news_(loop.scheduler()), write_news_(loop.scheduler()), linger_(*this) {
  int code = kind == Kind::tcp ? uv_tcp_init(loop.raw(), &socket_.tcp) : uv_pipe_init(loop.raw(), &socket_.pipe, 0);
  ensure(code == 0, "StreamHandle: cannot be initialised");
  own(reinterpret_cast<uv_handle_t*>(&socket_.stream));
}

int StreamHandle::descriptor() const noexcept {
  uv_os_fd_t descriptor = -1;
  const bool has_one = uv_fileno(reinterpret_cast<const uv_handle_t*>(&socket_.stream), &descriptor) == 0;
  return has_one ? descriptor : -1;
}

int StreamHandle::take_unconnected(int descriptor) noexcept {
  if (!loop_.make_room_for(descriptor)) return UV_ENOMEM;
  return kind_ == Kind::tcp ? uv_tcp_open(&socket_.tcp, descriptor) : uv_pipe_open(&socket_.pipe, descriptor);
}

int StreamHandle::open(int descriptor) noexcept {
  const int code = take_unconnected(descriptor);
  if (code == 0) start_reading();
  return code;
}

int StreamHandle::connect(const sockaddr& address) noexcept {
  uv_tcp_nodelay(&socket_.tcp, 1);
  int code = uv_tcp_connect(&request_.connect, &socket_.tcp, &address, [](uv_connect_t* request, int status) {
    handle_of(request->handle->data).on_connected(status);
  });
  connecting_ = code == 0;
  return code;
}

void StreamHandle::connect(const std::string& path) noexcept {
  connecting_ = true;
  uv_pipe_connect(&request_.connect, &socket_.pipe, path.c_str(),
                  [](uv_connect_t* request, int status) { handle_of(request->handle->data).on_connected(status); });
}

void StreamHandle::on_connected(int status) noexcept {
  if (is_closing()) return;
  Turn turn(loop_);
  connecting_ = false;
  if (status < 0) {
    write_error_ = read_error_ = error_of(status);
  } else {
    start_reading();
  }
  write_news_.notify();
}

// -- reading ---------------------------------------------------------------------------------------------------------

void StreamHandle::start_reading() noexcept {
  if (reading_ || read_error_ || is_closing()) return;
  int code = uv_read_start(
      &socket_.stream, [](uv_handle_t* raw, std::size_t, uv_buf_t* place) { handle_of(raw->data).allocate(*place); },
      [](uv_stream_t* raw, ssize_t count, const uv_buf_t*) { handle_of(raw->data).on_read(count); });
  reading_ = code == 0;
  if (code < 0) read_error_ = error_of(code);
}

std::size_t StreamHandle::wanted_capacity() const noexcept {
  return full_reads_ >= full_reads_for_bulk ? bulk_block_octets : io::block_octets;
}

bool StreamHandle::has_read_its_share() noexcept {
  if (turn_ != loop_.scheduler().turn()) {
    turn_ = loop_.scheduler().turn();
    read_in_turn_ = 0;
  }
  return read_in_turn_ + bulk_block_octets > async::Scheduler::octets_per_turn;
}

void StreamHandle::allocate(uv_buf_t& place) noexcept {
  // libuv reads on as long as each read fills its buffer. Without a buffer it returns to the loop; what is left in the
  // socket is an event of the next turn.
  pausing_ = has_read_its_share();
  if (pausing_) {
    place = uv_buf_init(nullptr, 0);
    return;
  }
  if (closed_) {
    place = uv_buf_init(loop_.blocks().waste(), io::block_octets);
    return;
  }
  if (!block_) block_ = loop_.blocks().take(wanted_capacity());
  // If there is no memory for a block, libuv reports ENOBUFS and the connection fails as `exhausted`.
  place = uv_buf_init(block_.octets.get() + end_, static_cast<unsigned>(block_.capacity - end_));
}

void StreamHandle::on_read(ssize_t count) noexcept {
  if (pausing_) return;
  if (count > 0) read_in_turn_ += static_cast<std::uint32_t>(count);
  if (closed_) {
    on_waste(count);
    return;
  }
  {
    Turn turn(loop_);
    if (count > 0) {
      end_ += static_cast<std::uint32_t>(count);
      bool filled = end_ == block_.capacity;
      full_reads_ = filled ? static_cast<std::uint8_t>(std::min<int>(full_reads_ + 1, full_reads_for_bulk)) : 0;
      read_news_.notify();
    } else {
      if (begin_ == end_) drop_input();  // an idle stream holds no block
      if (count < 0) {
        reading_ = false;
        uv_read_stop(&socket_.stream);
        if (!read_error_) read_error_ = error_of(static_cast<int>(count));
        read_news_.notify();
      }
    }
  }
  // At the end of the turn above the reader could consume. Only if it has not (it is busy elsewhere) does reading stop,
  // and TCP slows down the peer.
  if (reading_ && !closed_ && block_ && end_ == block_.capacity) {
    uv_read_stop(&socket_.stream);
    reading_ = false;
  }
}

std::string_view StreamHandle::input() const noexcept {
  seen_ = end_ - begin_;
  return seen_ == 0 ? std::string_view() : std::string_view(block_.octets.get() + begin_, seen_);
}

void StreamHandle::consume(std::size_t octets) {
  if (closed_) return;  // close() has dropped the input already
  ensure(octets <= end_ - begin_, "Stream: more consumed than has arrived");
  begin_ += static_cast<std::uint32_t>(octets);
  seen_ -= std::min(seen_, static_cast<std::uint32_t>(octets));
  if (begin_ < end_) return;
  drop_input();
  start_reading();
}

void StreamHandle::make_room() noexcept {
  if (!block_ || closed_) return;
  std::uint32_t size = end_ - begin_;
  std::size_t wanted = wanted_capacity();
  BlockPool::Block other;
  if (wanted != block_.capacity && size < wanted) other = loop_.blocks().take(wanted);
  if (other) {
    std::memcpy(other.octets.get(), block_.octets.get() + begin_, size);
    loop_.blocks().give_back(std::exchange(block_, std::move(other)));
  } else if (block_.capacity - end_ < block_.capacity / 4) {
    std::memmove(block_.octets.get(), block_.octets.get() + begin_, size);
  } else {
    return;
  }
  begin_ = 0;
  end_ = size;
  if (end_ < block_.capacity) start_reading();
}

void StreamHandle::drop_input() noexcept {
  if (block_) loop_.blocks().give_back(std::exchange(block_, {}));
  begin_ = end_ = seen_ = 0;
}

// -- writing ---------------------------------------------------------------------------------------------------------

Result<std::size_t, Error> StreamHandle::send_now(std::span<const std::string_view> parts) noexcept {
  if (auto error = write_error()) return *error;
  std::array<uv_buf_t, buffers_per_call> buffers;
  std::size_t sent = 0;
  while (!parts.empty()) {
    std::size_t count = 0;
    std::size_t octets = 0;
    while (!parts.empty() && count < buffers.size()) {
      if (!parts.front().empty()) buffers[count++] = buffer_of(parts.front());
      octets += parts.front().size();
      parts = parts.subspan(1);
    }
    if (count == 0) break;
    int taken = uv_try_write(&socket_.stream, buffers.data(), static_cast<unsigned>(count));
    if (taken == UV_EAGAIN) break;
    if (taken < 0) {
      write_error_ = error_of(taken);
      return *write_error_;
    }
    sent += static_cast<std::size_t>(taken);
    if (static_cast<std::size_t>(taken) < octets) break;
  }
  return sent;
}

void StreamHandle::send_rest(std::span<const std::string_view> parts, std::size_t sent) {
  ensure(!writing_, "Stream: two writers");
  std::vector<uv_buf_t> buffers;
  try {
    buffers.reserve(parts.size());
  } catch (const std::bad_alloc&) {
    write_error_ = error_of(UV_ENOMEM);  // the message is incomplete on the wire: nothing may be sent after it
    return;
  }
  for (std::string_view part : parts) {
    std::size_t skipped = std::min(sent, part.size());
    sent -= skipped;
    part.remove_prefix(skipped);
    if (!part.empty()) buffers.push_back(buffer_of(part));
  }
  int code = uv_write(&request_.write, &socket_.stream, buffers.data(), static_cast<unsigned>(buffers.size()),
                      [](uv_write_t* request, int status) { handle_of(request->handle->data).on_written(status); });
  writing_ = code == 0;
  if (code < 0) write_error_ = error_of(code);
}

bool StreamHandle::has_undelivered() const noexcept {
  uv_os_fd_t descriptor = -1;
  int octets = 0;
  return !closed_ && uv_fileno(reinterpret_cast<const uv_handle_t*>(&socket_.stream), &descriptor) == 0 &&
         ::ioctl(descriptor, SIOCOUTQ, &octets) == 0 && octets > 0;
}

bool StreamHandle::peer_has_ended() noexcept {
  // Where nothing waits to be read, as of a client that waits for its reply, a look at the next octet tells, at a
  // third of poll's price.
  char next = 0;
  const ssize_t seen = ::recv(descriptor(), &next, sizeof next, MSG_PEEK | MSG_DONTWAIT);
  if (seen == 0) return true;
  if (seen < 0 && errno == EAGAIN) return false;
  if (seen < 0 && errno != EINTR) {
    // The kernel tells an error once: nobody else will hear of it.
    if (!read_error_) read_error_ = error_of(-errno);
    read_news_.notify();
    return true;
  }
  pollfd socket{descriptor(), POLLRDHUP, 0};
  return ::poll(&socket, 1, 0) > 0;  // POLLERR and POLLHUP are told unasked
}

bool StreamHandle::has_socket_error() const noexcept {
  pollfd socket{descriptor(), 0, 0};
  return ::poll(&socket, 1, 0) > 0 && (socket.revents & (POLLERR | POLLNVAL)) != 0;
}

std::optional<Error> StreamHandle::write_error() const noexcept {
  if (closed_) return Error::closed;
  return write_error_;
}

void StreamHandle::on_written(int status) noexcept {
  writing_ = false;
  if (is_closing()) return;
  Turn turn(loop_);
  if (status < 0) write_error_ = error_of(status);
  write_news_.notify();
  if (closed_) linger();
}

// -- the end ---------------------------------------------------------------------------------------------------------

void StreamHandle::close() noexcept {
  if (closed_) return;
  closed_ = true;
  drop_input();
  read_news_.notify();
  // A pending write continues until it is done or its deadline passes; the connection is ended after that.
  if (!writing_) linger();
}

void StreamHandle::linger() noexcept {
  uv_os_fd_t descriptor = -1;
  bool ended = connecting_ || read_error_ || write_error_;
  if (ended || uv_fileno(reinterpret_cast<uv_handle_t*>(&socket_.stream), &descriptor) < 0 ||
      ::shutdown(descriptor, SHUT_WR) < 0) {
    write_news_.notify();
    close_handle();
    return;
  }
  loop_.scheduler().set(linger_, loop_.scheduler().now() + linger_time);
  start_reading();
}

void StreamHandle::on_waste(ssize_t count) noexcept {
  if (count < 0) {
    reading_ = false;
    uv_read_stop(&socket_.stream);
    read_error_ = error_of(static_cast<int>(count));
    if (!writing_) close_handle();  // if the peer only ended its side, it may still read what we write
    return;
  }
  wasted_ += static_cast<std::uint32_t>(count);
  if (wasted_ > most_waste_octets) abort();
}

void StreamHandle::abort() noexcept {
  closed_ = true;
  if (is_closing()) return;
  drop_input();
  if (kind_ != Kind::tcp || uv_tcp_close_reset(&socket_.tcp, close_callback) != 0) close_handle();
  read_news_.notify();
  write_news_.notify();
}

void StreamHandle::release() noexcept {
  released_ = true;
  if (gone_) {
    delete this;
  } else if (writing_) {
    abort();  // the octets being written belong to the caller and are about to be freed
  } else {
    close();
  }
}

void StreamHandle::closed() noexcept {
  closed_ = true;
  gone_ = true;
  linger_.clear();
  drop_input();
  if (released_) delete this;
}

}  // namespace sallyport::uv
