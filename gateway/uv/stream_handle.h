// StreamHandle: the socket of a TcpStream and the input it has received. It is a separate object because it must live
// until libuv has closed the handle, which is later than the TcpStream's end.
//
// Reading is always armed and stops only when the block is full and nothing was consumed. So a wait costs no epoll_ctl,
// and a peer that disconnects is noticed while the session waits for something else. The stream holds a block only
// while there is input. In one turn of the loop a stream reads at most a Scheduler::octets_per_turn, however fast its
// peer sends and its user consumes.
//
// Closing lingers: after our FIN, what the peer still sends is read and discarded until the peer ends too, for at most
// one second or 256 KiB. After a plain close() the kernel answers further data with a reset, which may destroy our last
// reply before the peer has read it.
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

  // Call open() first, or take_unconnected() and one of connect(). The result is 0 or a libuv error code; connect()
  // reports its outcome through write_news(). Whose result is 0 has the descriptor.
  int open(int descriptor) noexcept;
  int take_unconnected(int descriptor) noexcept;
  int connect(const sockaddr& address) noexcept;
  void connect(const std::string& path) noexcept;
  bool is_connecting() const noexcept { return connecting_ && !closed_; }

  std::string_view input() const noexcept;
  void consume(std::size_t octets);
  bool has_unseen_input() const noexcept { return end_ - begin_ > seen_; }
  // The caller no longer uses its view of input(): moves the input to get free space behind it and resumes reading.
  void make_room() noexcept;
  std::optional<io::Error> read_error() const noexcept { return read_error_; }
  async::Signal& read_news() noexcept { return read_news_; }

  // Sends as much as the socket takes without waiting; gives the number of octets sent.
  Result<std::size_t, io::Error> send_now(std::span<const std::string_view> parts) noexcept;
  // Sends what is left after the first `sent` octets. The octets must stay valid while is_writing().
  void send_rest(std::span<const std::string_view> parts, std::size_t sent);
  bool is_writing() const noexcept { return writing_ && !is_closing(); }
  std::optional<io::Error> write_error() const noexcept;
  // True when the kernel still holds octets for the peer (SIOCOUTQ).
  //
  // Asked when a reply has been read, it cannot be true for a peer that has read what it replies to. TCP acknowledges
  // by one number, up to where everything has arrived; each segment carries it, so also the one with the reply, even
  // where pure acknowledgements are delayed or lost. The application over there cannot have read more than its kernel
  // had when it made that segment. Our kernel takes a segment's number and its octets in under one lock, before a read
  // returns them. Loopback is no exception. A proxy that ends the connection on the way acknowledges for itself: then
  // this sees less, never too much. Of a unix-domain socket it tells more: what the peer has not read.
  bool has_undelivered() const noexcept;
  // True when the kernel knows of the peer's end or of an error, behind whatever input (POLLRDHUP).
  bool peer_has_ended() noexcept;
  // True when the kernel knows of an error, such as the peer's reset (POLLERR).
  bool has_socket_error() const noexcept;
  // Notified when connecting or writing has ended.
  async::Signal& write_news() noexcept { return write_news_; }

  bool is_closed() const noexcept { return closed_; }
  // The socket; -1 when there is none yet or any more.
  int descriptor() const noexcept;
  void close() noexcept;
  void abort() noexcept;
  // The TcpStream calls this in its destructor. The handle closes and deletes itself once libuv allows.
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
  bool has_read_its_share() noexcept;
  void allocate(uv_buf_t& place) noexcept;
  void on_read(ssize_t count) noexcept;
  void on_waste(ssize_t count) noexcept;
  void on_connected(int status) noexcept;
  void on_written(int status) noexcept;
  void linger() noexcept;
  void drop_input() noexcept;
  void closed() noexcept override;
  // The block size to use next, by how full the last reads were.
  std::size_t wanted_capacity() const noexcept;

  Loop& loop_;
  union {
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } socket_;
  union {  // connecting ends before the first write starts, and there is one write at a time
    uv_connect_t connect;
    uv_write_t write;
  } request_;
  Kind kind_;
  bool connecting_ = false;
  bool reading_ = false;  // armed
  bool pausing_ = false;  // this turn's share has been read; the loop finds the rest in its next turn
  bool writing_ = false;  // request_.write is in use
  bool closed_ = false;   // the user has called close(), abort() or release()
  bool released_ = false;
  bool gone_ = false;            // libuv has called the close callback
  std::uint8_t full_reads_ = 0;  // consecutive reads that filled the block
  std::uint32_t begin_ = 0;      // unconsumed input is block_[begin_, end_)
  std::uint32_t end_ = 0;
  mutable std::uint32_t seen_ = 0;  // its size at the last call of input()
  std::uint32_t wasted_ = 0;
  std::uint32_t read_in_turn_ = 0;  // octets, in the turn `turn_`
  std::uint64_t turn_ = 0;
  std::optional<io::Error> read_error_;
  std::optional<io::Error> write_error_;
  BlockPool::Block block_;
  async::Signal read_news_;
  async::Signal write_news_;
  Linger linger_;
};

}  // namespace sallyport::uv
