#include "gateway/stream/tls_stream.h"

#include <algorithm>
#include <array>
#include <coroutine>
#include <cstring>
#include <new>
#include <utility>

#include "gateway/async/wait.h"
#include "gateway/base/ensure.h"
#include "gateway/io/shortage.h"

namespace sallyport::stream {

namespace {

using io::Error;
using Outcome = Result<Done, Error>;

constexpr std::size_t record_octets = std::size_t{16} * 1024;
// A part of this size gets records of its own; smaller parts are copied together.
constexpr std::size_t large_part_octets = std::size_t{4} * 1024;
// How much is encrypted before it is written: enough for one system call, little enough to hold for each session.
constexpr std::size_t burst_octets = std::size_t{64} * 1024;

}  // namespace

TlsStream::TlsStream(std::unique_ptr<io::Stream> below, std::unique_ptr<tls::Engine> engine)
    : below_(std::move(below)), engine_(std::move(engine)) {}

TlsStream::~TlsStream() { TlsStream::close(); }

Task<Outcome> TlsStream::handshake(Time deadline) {
  while (!closed_) {
    std::string_view arrived = below_->input();
    std::size_t octets = arrived.size();
    Status status = engine_->handshake(arrived);
    below_->consume(octets - arrived.size());
    // A session ticket need not be sent alone: it goes out with our next octets, which saves a system call.
    if (status == Status::done && engine_->output_may_wait()) {
      unhurried_octets_ = engine_->output_octets();
      co_return Done{};
    }
    auto sent = co_await flush(deadline);
    // A failed handshake is reported as `tls`, whether or not its alert could be sent.
    if (status == Status::failed) co_return Error::tls;
    if (!sent) co_return closed_ ? Error::closed : sent.error();
    if (status == Status::done) co_return Done{};
    if (!below_->input().empty()) continue;
    auto more = co_await below_->fill(deadline);
    if (!more) co_return read_error(more.error());
  }
  co_return Error::closed;
}

std::string_view TlsStream::input() const { return {block_.get() + begin_, end_ - begin_}; }

void TlsStream::consume(std::size_t octets) {
  if (closed_) return;  // the input is gone already
  ensure(octets <= end_ - begin_, "TlsStream: more consumed than has arrived");
  begin_ += octets;
  if (begin_ == end_) release_block();
}

void TlsStream::release_block() {
  block_.reset();
  begin_ = end_ = 0;
}

void TlsStream::make_room() {
  if (!block_) block_ = std::make_unique_for_overwrite<char[]>(io::block_octets);
  if (begin_ == 0) return;
  std::memmove(block_.get(), block_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
}

// Decrypts what has arrived, as far as there is room. Gives `done` when input() has become longer.
TlsStream::Status TlsStream::decrypt() {
  std::string_view arrived = below_->input();
  bool can_read = !arrived.empty() || engine_->has_decrypted() || engine_->has_ended() || engine_->has_failed();
  if (!can_read) return Status::want_input;
  make_room();
  std::size_t octets = arrived.size();
  std::size_t before = end_;
  Status status = Status::done;
  while (status == Status::done && end_ < io::block_octets) {
    auto read = engine_->read(arrived, {block_.get() + end_, io::block_octets - end_});
    status = read.status;
    end_ += read.octets;
  }
  below_->consume(octets - arrived.size());
  if (end_ > before) return Status::done;  // the next call reports what stopped it
  if (begin_ == end_) release_block();
  return status;
}

void TlsStream::decrypt_arrived() {
  // When nothing could be decrypted, the next fill() reports the reason.
  if (!closed_ && end_ - begin_ < io::block_octets) (void)decrypt();
}

Task<Outcome> TlsStream::fill(Time deadline) {
  ensure(end_ - begin_ < io::block_octets, "TlsStream: fill() with a full block");
  while (!closed_) {
    Status status = decrypt();
    if (status == Status::done) co_return Done{};
    if (status == Status::ended) co_return Error::closed;
    if (status == Status::failed) {
      // Sends the alert, unless a write is in progress: that one is sent first, and then the alert is of no use.
      if (!writing_) (void)co_await flush(deadline);
      co_return Error::tls;
    }
    if (!below_->input().empty()) continue;
    // Sends what the engine answers by itself: the refusal of a renegotiation, the answer to a key update.
    if (!writing_ && engine_->output_octets() > unhurried_octets_) {
      auto said = co_await flush(deadline);
      if (!said) co_return said.error();
      answered_ = true;
    }
    auto more = co_await below_->fill(deadline);
    if (!more) co_return read_error(more.error());
  }
  co_return Error::closed;
}

Error TlsStream::read_error(Error below) const {
  if (closed_) return Error::closed;
  // The peer sent no close_notify, so the rest may have been cut off on the way.
  return below == Error::closed ? Error::truncated : below;
}

std::optional<Error> TlsStream::write_error() const {
  if (closed_) return Error::closed;
  if (failed_write_) return failed_write_;
  if (engine_->has_failed()) return Error::tls;
  return std::nullopt;
}

Task<Outcome> TlsStream::write(std::string_view octets, Time deadline) {
  answered_ = false;
  auto encrypted = co_await encrypt(octets, deadline);
  if (!encrypted) co_return encrypted.error();
  co_return co_await flush(deadline);
}

Task<Outcome> TlsStream::write_parts(std::span<const std::string_view> parts, Time deadline) {
  std::string joined;
  for (std::string_view part : parts) {
    bool is_large = part.size() >= large_part_octets;
    if (!joined.empty() && (is_large || joined.size() + part.size() >= record_octets)) {
      // Encrypts a full record, or the octets that precede a large part.
      std::size_t share = is_large ? 0 : record_octets - joined.size();
      joined.append(part.substr(0, share));
      part.remove_prefix(share);
      auto encrypted = co_await encrypt(joined, deadline);
      if (!encrypted) co_return encrypted.error();
      joined.clear();
    }
    if (!is_large) {
      joined.append(part);
      continue;
    }
    auto encrypted = co_await encrypt(part, deadline);
    if (!encrypted) co_return encrypted.error();
  }
  co_return co_await write(joined, deadline);
}

// Sends the last octets and close_notify in one write.
Task<Outcome> TlsStream::write_last(std::string_view octets, Time deadline) {
  auto encrypted = co_await encrypt(octets, deadline);
  if (encrypted) {
    engine_->shutdown();
    encrypted = co_await flush(deadline);
  }
  close();
  co_return encrypted;
}

// Adds records to the output, and flushes whenever it holds burst_octets or more.
Task<Outcome> TlsStream::encrypt(std::string_view octets, Time deadline) {
  while (true) {
    if (auto error = write_error()) co_return *error;
    std::string_view burst = octets.substr(0, burst_octets);
    octets.remove_prefix(burst.size());
    if (engine_->write(burst) == Status::failed) co_return Error::tls;
    if (octets.empty() && engine_->output_octets() < burst_octets) co_return Done{};
    auto sent = co_await flush(deadline);
    if (!sent) co_return sent.error();
    if (octets.empty()) co_return Done{};
  }
}

Task<Outcome> TlsStream::flush(Time deadline) {
  // The reader may add to the output (the answer to a key update) while a part of it is being written.
  while (engine_->output_octets() > 0) {
    std::string records = engine_->take_output();
    unhurried_octets_ = 0;
    writing_ = true;
    Outcome sent = Error::reset;
    try {
      sent = co_await below_->write(records, deadline);
    } catch (const std::bad_alloc&) {
      // Nothing may follow records that were never sent.
      io::note_shortage(io::Shortage::memory);
      sent = Error::exhausted;
    }
    writing_ = false;
    if (sent) continue;
    failed_write_ = sent.error();
    co_return closed_ ? Error::closed : sent.error();
  }
  co_return Done{};
}

bool TlsStream::is_open() const {
  return !closed_ && !failed_write_ && !engine_->has_failed() && !engine_->has_ended() && below_->is_open();
}

bool TlsStream::is_broken() const { return closed_ || failed_write_ || engine_->has_failed() || below_->is_broken(); }

void TlsStream::close() {
  if (closed_) return;
  closed_ = true;
  release_block();
  // While a write is in progress, or after one has failed, close_notify could land in the middle of a record.
  if (!writing_ && !failed_write_) say_farewell();
  below_->close();
}

void TlsStream::say_farewell() {
  engine_->shutdown();
  farewell_ = engine_->take_output();
  if (farewell_.empty()) return;
  // A small record is sent at once or almost never: the write is started here, and nothing waits for its end.
  try {
    saying_farewell_ = below_->write(farewell_, async::no_deadline);
    auto start = std::move(saying_farewell_).operator co_await();
    start.await_suspend(std::noop_coroutine());
  } catch (const std::bad_alloc&) {
    // Without memory the stream still closes; the peer sees an end without close_notify.
    saying_farewell_.reset();
  }
}

void TlsStream::abort() {
  closed_ = true;
  release_block();
  below_->abort();
}

}  // namespace sallyport::stream
