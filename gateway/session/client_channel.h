// The client's side of a session: command lines in, replies out.
//
// Replies are collected and go out together when no complete command is left in the input, before we wait (RFC
// 2920, 3.2): one write per group, and none of our small writes waits for the other side's acknowledgement.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/io/stream.h"
#include "gateway/session/tls_stream.h"
#include "gateway/smtp/reply.h"
#include "gateway/smtp/server_parser.h"

namespace sallyport::session {

class ClientChannel {
 public:
  ClientChannel(async::Scheduler& scheduler, std::unique_ptr<io::Stream> stream, std::size_t max_line_octets)
      : scheduler_(scheduler),
        stream_(std::move(stream)),
        max_line_octets_(max_line_octets),
        parser_(max_line_octets) {}

  struct Line {
    smtp::LineEvent::Kind kind;
    std::string_view text;  // into the input: valid until the next call of this channel that waits or reads
  };
  // The next command line; sends what is collected before it waits.
  Task<Result<Line, io::Error>> next_line(Time deadline);
  // True when octets are waiting that no command has asked for (S13), be it that they are not decrypted yet.
  bool has_unread_input() const;
  // An end or an error has been seen of the client, be it that it is not decrypted yet. One that has said QUIT before
  // its end still listens: Exim sends that together with the end of the content, and shuts down what it sends on. Like
  // fill(), it ends the validity of what input() gave.
  bool has_left();
  // From now on next_line() gives what has arrived and then says `closed` instead of waiting for more.
  void wait_no_more() { waits_no_more_ = true; }

  void queue(const smtp::Reply& reply) { reply.append_to(replies_); }
  Task<Result<Done, io::Error>> flush(Time deadline);
  // A flush() is under way: nobody else may write now.
  bool is_flushing() const { return flushing_; }
  // flush() for the last words: a moment only, and then the end.
  Task<void> say_last_words();

  // Content: what is there, and more of it; fill() sends what is collected before it waits.
  std::string_view input();
  void consume(std::size_t octets) { stream_->consume(octets); }
  Task<Result<Done, io::Error>> fill(Time deadline);

  io::Stream& stream() { return *stream_; }
  const io::Stream& stream() const { return *stream_; }
  // Puts TLS around the stream; the handshake is the caller's. Nothing read in the clear may be left (S14).
  TlsStream& secure(std::unique_ptr<tls::Engine> engine);

 private:
  void finish_line();
  bool has_sent_quit() const;

  async::Scheduler& scheduler_;
  std::unique_ptr<io::Stream> stream_;
  TlsStream* secured_ = nullptr;  // stream_, when it is that
  std::size_t max_line_octets_;
  smtp::ServerParser parser_;
  std::string replies_;
  bool flushing_ = false;
  bool waits_no_more_ = false;
  std::size_t line_octets_ = 0;  // of the line given last, consumed with the next call
};

// How long a client may take to read its replies before we give up on it.
inline constexpr Duration reply_patience = std::chrono::seconds(300);

}  // namespace sallyport::session
