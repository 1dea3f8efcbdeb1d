// TlsStream: a Stream that encrypts by TLS and sends over another Stream. After STARTTLS it replaces the plain stream.
//
// Its users see io::Stream; specific to TLS are handshake(), called first, info() and failure(). When the stream below
// ends without close_notify, reading gives `truncated` (threats.md T11); a broken record or handshake gives `tls`.
// After either, nothing is read or written in clear. While no input is waiting it holds no buffer. Used on one loop's
// thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "gateway/io/stream.h"
#include "gateway/tls/engine.h"

namespace sallyport::stream {

class TlsStream final : public io::Stream {
 public:
  // Takes every octet still unread in `below` for TLS: the caller first discards what arrived in clear (RFC 3207, 4.2).
  TlsStream(std::unique_ptr<io::Stream> below, std::unique_ptr<tls::Engine> engine);
  ~TlsStream() override;

  // Performs the handshake; to be called once, before anything else. After an error only close() may be called; the
  // alert has been sent where the connection still allowed it.
  Task<Result<Done, io::Error>> handshake(Time deadline);
  const tls::Info& info() const { return engine_->info(); }
  // The reason why TLS failed, a fixed text without octets of the peer; empty when it has not failed.
  std::string failure() const { return std::string(engine_->failure()); }
  // True if the handshake failed because we and the peer have no protocol version, cipher, group or signature in common
  // (threats.md T1).
  bool was_refused() const { return engine_->was_refused(); }

  // True if octets have arrived that input() does not show yet.
  bool has_undecrypted() const { return !closed_ && (!below_->input().empty() || engine_->has_decrypted()); }
  // True if only a part of a record has arrived so far.
  bool is_in_record() const { return !closed_ && engine_->has_part_of_record(); }
  // Decrypts what has arrived into input(), without waiting. Like fill(), it makes earlier results of input() invalid.
  void decrypt_arrived();

  std::string_view input() const override;
  void consume(std::size_t octets) override;
  Task<Result<Done, io::Error>> fill(Time deadline) override;
  // Writes records of up to 16 KiB. Small parts are joined so that they need as few records as possible. All records of
  // one call go to the stream below in one write, or in one for every 64 KiB.
  Task<Result<Done, io::Error>> write(std::string_view octets, Time deadline) override;
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time deadline) override;
  Task<Result<Done, io::Error>> write_last(std::string_view octets, Time deadline) override;
  // Not while an answer of TLS itself may be on its way, such as to a key update: it is no part of what was written.
  bool has_undelivered() const override { return !answered_ && below_->has_undelivered(); }
  bool is_open() const override;
  bool is_broken() const override;
  bool peer_has_ended() const override { return !is_open() || below_->peer_has_ended(); }
  void close() override;
  void abort() override;

 private:
  using Status = tls::Engine::Status;

  Status decrypt();
  void make_room();
  void release_block();
  // The error that ends reading, given the error of the stream below; and the error that forbids writing, if there is
  // one.
  io::Error read_error(io::Error below) const;
  std::optional<io::Error> write_error() const;
  Task<Result<Done, io::Error>> encrypt(std::string_view octets, Time deadline);
  Task<Result<Done, io::Error>> flush(Time deadline);
  void say_farewell();

  std::unique_ptr<io::Stream> below_;
  std::unique_ptr<tls::Engine> engine_;
  std::unique_ptr<char[]> block_;  // decrypted and not consumed: [begin_, end_); null when there is nothing
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::optional<io::Error> failed_write_;
  std::size_t unhurried_octets_ = 0;  // octets of the output that need not be flushed alone, such as a session ticket
  bool answered_ = false;             // fill() has sent what the engine answers, after the last write
  bool writing_ = false;
  bool closed_ = false;
  // The write that sends close_notify, and the octets it sends.
  std::string farewell_;
  Task<Result<Done, io::Error>> saying_farewell_;
};

}  // namespace sallyport::stream
