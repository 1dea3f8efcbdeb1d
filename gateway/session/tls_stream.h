// TlsStream: a Stream whose octets travel by TLS over another Stream; STARTTLS puts it in the place of the plain one.
//
// Only io::Stream's promises count for its users; what is of TLS is the handshake() before the first octet, info() and
// failure(). An end of the stream below without close_notify is `truncated` (threats.md T11), and a broken record or
// handshake is `tls`; nothing is read or written in clear after either. While it is idle it holds no buffers.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "gateway/io/stream.h"
#include "gateway/tls/engine.h"

namespace sallyport::session {

class TlsStream final : public io::Stream {
 public:
  // What the stream below has not been asked for yet is taken for TLS: discard what came in clear first (RFC
  // 3207, 4.2).
  TlsStream(std::unique_ptr<io::Stream> below, std::unique_ptr<tls::Engine> engine);
  ~TlsStream() override;

  // Once, before anything else. After an error the stream is only good for close(); an alert has been sent.
  Task<Result<Done, io::Error>> handshake(Time deadline);
  const tls::Info& info() const { return engine_->info(); }
  // Why TLS failed, in fixed words; empty when it has not.
  std::string failure() const { return std::string(engine_->failure()); }
  // The handshake failed because the peer speaks nothing that we accept.
  bool was_refused() const { return engine_->was_refused(); }

  // Octets have arrived that input() does not show yet.
  bool has_undecrypted() const { return !closed_ && (!below_->input().empty() || engine_->has_decrypted()); }
  // The last record that has arrived has not arrived whole.
  bool is_in_record() const { return !closed_ && engine_->has_part_of_record(); }
  // Shows what has arrived, without waiting. Like fill(), it ends the validity of what input() gave.
  void decrypt_arrived();

  std::string_view input() const override;
  void consume(std::size_t octets) override;
  Task<Result<Done, io::Error>> fill(Time deadline) override;
  // In records of up to 16 KiB. The small ones of several parts are joined to as few records as they fill; what one
  // call has encrypted goes below in one write, or for each 64 KiB in one.
  Task<Result<Done, io::Error>> write(std::string_view octets, Time deadline) override;
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time deadline) override;
  Task<Result<Done, io::Error>> write_last(std::string_view octets, Time deadline) override;
  bool is_open() const override;
  void close() override;
  void abort() override;

 private:
  using Status = tls::Engine::Status;

  Status decrypt();
  void make_room();
  void release_block();
  // The reasons why reading or writing cannot go on.
  io::Error read_error(io::Error below) const;
  std::optional<io::Error> write_error() const;
  Task<Result<Done, io::Error>> encrypt(std::string_view octets, Time deadline);
  Task<Result<Done, io::Error>> flush(Time deadline);
  void say_farewell();

  std::unique_ptr<io::Stream> below_;
  std::unique_ptr<tls::Engine> engine_;
  std::unique_ptr<char[]> block_;  // decrypted and not consumed: [begin_, end_); none when there is nothing
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::optional<io::Error> failed_write_;
  std::size_t unhurried_octets_ = 0;  // of the output: a session ticket, which waits for company
  bool writing_ = false;
  bool closed_ = false;
  // The write of close_notify, and what it writes.
  std::string farewell_;
  Task<Result<Done, io::Error>> saying_farewell_;
};

}  // namespace sallyport::session
