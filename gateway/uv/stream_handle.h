// StreamHandle: a connected socket and what has arrived on it: the part of a TcpStream that must outlive it until libuv
// has let go.
//
// Reading is always armed, and stops only when the block is full and nobody consumed: a wait costs no epoll_ctl, and a
// peer that vanishes is noticed while we wait for something else. The block is there only while it holds something.
//
// Closing lingers: after FIN, what the peer still sends is read and thrown away until it ends too, at most for a
// second. The kernel answers data after a plain close() with a reset, which may destroy our last reply before the peer
// has read it.
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/async/timer_wheel.h"
#include "gateway/async/wait.h"
#include "gateway/base/result.h"
#include "gateway/io/error.h"
#include "gateway/uv/block_pool.h"
#include "gateway/uv/handle.h"
#include "gateway/uv/loop.h"

namespace sallyport::uv {

class StreamHandle final : public Handle {
 public:
  enum class Kind { tcp, unix_domain };

  StreamHandle(Loop& loop, Kind kind);

  // One of these first. What they give is 0, or a libuv error code.
  int open(int descriptor) noexcept;
  int connect(const sockaddr& address) noexcept;
  void connect(const std::string& path) noexcept;
  bool is_connecting() const noexcept { return connecting_ && !closed_; }

  std::string_view input() const noexcept;
  void consume(std::size_t octets);
  bool has_unseen_input() const noexcept { return end_ - begin_ > seen_; }
  // Nobody looks at input() any more: makes room behind it, and reads on.
  void make_room() noexcept;
  std::optional<io::Error> read_error() const noexcept { return read_error_; }
  async::Signal& read_news() noexcept { return read_news_; }

  // Sends as much as the socket takes at once, and says how much that was.
  Result<std::size_t, io::Error> send_now(std::span<const std::string_view> parts) noexcept;
  // Sends what is left after `sent` octets, while is_writing(); the octets must stay where they are as long.
  void send_rest(std::span<const std::string_view> parts, std::size_t sent);
  bool is_writing() const noexcept { return writing_ && !is_closing(); }
  std::optional<io::Error> write_error() const noexcept;
  // Where connecting and writing is told.
  async::Signal& write_news() noexcept { return write_news_; }

  bool is_closed() const noexcept { return closed_; }
  void close() noexcept;
  void abort() noexcept;
  // Whoever used it has gone; it goes too once it can.
  void release() noexcept;

 private:
  class Linger final : public async::Timer {
   public:
    explicit Linger(StreamHandle& stream) noexcept : stream_(stream) {}

   private:
    void fired() override { stream_.close_handle(); }
    StreamHandle& stream_;
  };

  void start_reading() noexcept;
  void allocate(uv_buf_t& place) noexcept;
  void on_read(ssize_t count) noexcept;
  void on_waste(ssize_t count) noexcept;
  void on_connected(int status) noexcept;
  void on_written(int status) noexcept;
  void linger() noexcept;
  void drop_input() noexcept;
  void closed() noexcept override;
  // The size of block that suits what has been arriving.
  std::size_t wanted_capacity() const noexcept;

  Loop& loop_;
  union {
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } socket_;
  union {  // a connection is made before anything is written, one write at a time
    uv_connect_t connect;
    uv_write_t write;
  } request_;
  Kind kind_;
  bool connecting_ = false;
  bool reading_ = false;  // armed
  bool writing_ = false;  // request_ is under way
  bool closed_ = false;   // to whoever uses it
  bool released_ = false;
  bool gone_ = false;            // libuv has let go
  std::uint8_t full_reads_ = 0;  // in a row
  std::uint32_t begin_ = 0;      // of what is not consumed, in block_
  std::uint32_t end_ = 0;
  mutable std::uint32_t seen_ = 0;  // how much of it was looked at
  std::uint32_t wasted_ = 0;
  std::optional<io::Error> read_error_;
  std::optional<io::Error> write_error_;
  BlockPool::Block block_;
  async::Signal read_news_;
  async::Signal write_news_;
  Linger linger_;
};

}  // namespace sallyport::uv
