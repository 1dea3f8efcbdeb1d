// Stream: a connection's two directions, plain or TLS, real or in memory.
//
// Reading is pulling: input() shows what has arrived, consume() gives it back, fill() waits for more. So a line or a
// chunk is looked at where it lies, and a peer that is ahead of us is slowed down by its own TCP window (backpressure):
// an implementation buffers one block (16 KiB, in the middle of a large message at most 64 KiB) that nobody has
// consumed.
//
// fill() and write() are tasks rather than bare awaiters: they are called only when the buffer has nothing left or the
// socket took no more, and the system call they wait for costs a hundred frames.
//
// One reader and one writer at a time. Every wait has a deadline, on the scheduler's clock.
#pragma once

#include <span>
#include <string_view>

#include "gateway/async/task.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/io/error.h"

namespace sallyport::io {

class Stream {
 public:
  virtual ~Stream() = default;

  // What has arrived and is not consumed; valid until the next fill(), consume() or close().
  virtual std::string_view input() const = 0;
  // Forgets the first `octets` of input().
  virtual void consume(std::size_t octets) = 0;
  // Waits until input() is longer than when it was last looked at; what came while the caller waited for something else
  // counts, so it does not wait for more. `closed` once the peer has ended and nothing more will come; what is in
  // input() stays. With a full block of unconsumed input that was looked at it is a broken invariant: consume first.
  virtual Task<Result<Done, Error>> fill(Time deadline) = 0;

  // Sends everything, in order, as few system calls as possible. After an error nothing more can be sent.
  virtual Task<Result<Done, Error>> write(std::string_view octets, Time deadline) = 0;
  virtual Task<Result<Done, Error>> write_parts(std::span<const std::string_view> parts, Time deadline) = 0;

  // write() and close() in one step: a TLS stream's close_notify goes in the same system call.
  virtual Task<Result<Done, Error>> write_last(std::string_view octets, Time deadline);

  // True while neither an end nor an error has been seen; a pooled connection is asked before it is used again.
  virtual bool is_open() const = 0;
  // Ends both directions: octets already written still go out, a TLS stream says close_notify. Waits pending in fill()
  // and write() return `closed`. Harmless when called again.
  virtual void close() = 0;
  // Ends the connection at once with a reset, for a peer that shall not take what was sent for complete.
  virtual void abort() = 0;
};

// So much unconsumed input fits into every stream. In the middle of a large message some hold more (for fewer system
// calls), but to look at this much and call fill() without consuming is a mistake everywhere.
inline constexpr std::size_t block_octets = std::size_t{16} * 1024;

}  // namespace sallyport::io
