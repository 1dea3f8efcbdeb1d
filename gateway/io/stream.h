// Stream: a two-way connection: plain or TLS, over a socket or in memory.
//
// The reader pulls: input() shows what has arrived, consume() discards what was used, fill() waits for more. So a line
// or a chunk is parsed where it lies, and a peer that sends faster than we read is slowed down by its own TCP window
// (backpressure): an implementation buffers at most one block of unconsumed input (16 KiB; in the middle of a large
// message up to 64 KiB).
//
// fill() and write() are tasks rather than bare awaiters: they are called only when the buffer is used up or the socket
// took no more, and the system call they wait for costs as much as a hundred coroutine frames.
//
// One reader and one writer at a time, on the loop's thread. Every wait has a deadline, in the scheduler's time.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/io/error.h"

namespace sallyport::io {

class Stream {
 public:
  virtual ~Stream() = default;

  // What has arrived and is not consumed yet; valid until the next fill(), consume() or close().
  virtual std::string_view input() const = 0;
  // Discards the first `octets` of input().
  virtual void consume(std::size_t octets) = 0;
  // Waits until input() is longer than at the last call of input(); returns at once if data arrived since then.
  // `closed` once the peer has ended its side and nothing more will come; what is in input() stays. Calling it with a
  // full block of unconsumed input that was looked at breaks an invariant (ensure): consume first.
  virtual Task<Result<Done, Error>> fill(Time deadline) = 0;

  // Sends everything, in order, with as few system calls as possible. After an error nothing more can be sent.
  virtual Task<Result<Done, Error>> write(std::string_view octets, Time deadline) = 0;
  virtual Task<Result<Done, Error>> write_parts(std::span<const std::string_view> parts, Time deadline) = 0;

  // write() and close() in one step: a TLS stream sends its close_notify in the same system call.
  virtual Task<Result<Done, Error>> write_last(std::string_view octets, Time deadline);

  // True when octets that were written have not reached the peer: its kernel has not acknowledged them. What a peer
  // says while it has not got what it speaks of, it has made up (threats.md U3). False where nobody can tell. It costs
  // one system call.
  virtual bool has_undelivered() const { return false; }

  // True while neither the peer's end nor an error has been seen. The upstream pool asks this before it reuses a
  // connection.
  virtual bool is_open() const = 0;
  // True when nothing that is written now can reach the peer: the connection was reset, a write failed, TLS failed, or
  // we closed it. A peer that has only ended its side, as in a half close, has not broken it. It may cost one system
  // call when the peer has ended.
  virtual bool is_broken() const = 0;
  // True also when the peer's end or an error has arrived and lies behind input that has not been read yet, or is read
  // in the loop's next turn only. It costs one system call. A peer that has ended its side may still read (half close).
  virtual bool peer_has_ended() const { return !is_open(); }
  // The two ends of a TCP connection; nothing for any other stream. Asked where they matter only: it costs system
  // calls.
  struct Ends {
    SocketAddress local;
    SocketAddress peer;
  };
  virtual std::optional<Ends> ends() const { return std::nullopt; }
  // Ends both directions: octets already written are still sent; a TLS stream sends close_notify. A pending fill() or
  // write() returns `closed`. May be called again.
  virtual void close() = 0;
  // Resets the connection at once, so that the peer does not take what was sent for complete.
  virtual void abort() = 0;
};

// Every stream can hold this much unconsumed input. Some hold more in the middle of a large message (for fewer system
// calls), but calling fill() after looking at this much without consuming is an error everywhere.
inline constexpr std::size_t block_octets = std::size_t{16} * 1024;

}  // namespace sallyport::io
