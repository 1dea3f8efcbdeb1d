// ClientChannel: the client's side of a session, command lines in and replies out.
//
// Replies are collected and sent together when the input holds no complete command any more, before the session waits
// (RFC 2920, 3.2): one write per group of commands, and none of our small writes waits for the client's acknowledgement
// of the one before. One loop uses it; all waits have a deadline.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/io/stream.h"
#include "gateway/smtp/reply.h"
#include "gateway/smtp/server_parser.h"
#include "gateway/stream/tls_stream.h"
#include "gateway/upstream/delivery_client.h"

namespace sallyport::session {

class ClientChannel final : public upstream::DeliveryClient {
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
  // The next command line. Sends the collected replies before it waits.
  Task<Result<Line, io::Error>> next_line(Time deadline);
  // True when octets are waiting that no command has asked for (S13), decrypted or not.
  bool has_unread_input() const;
  bool has_left() override;
  // True when the client may not hear a reply that is sent now: its end or an error has arrived, decrypted or not, or
  // lies behind input that has not been read, such as further mails that it has pipelined. A client that has said QUIT
  // before its end still listens: Exim sends QUIT together with the end of the content, and then shuts down the side
  // that it sends on. Like fill(), this ends the validity of what input() has returned.
  bool may_have_left();
  // A client that has pipelined a whole message in chunks behind the command in hand (RFC 3030 allows that) waits for
  // the replies, though it has ended its side; so does one whose content is complete. One that has said no more than
  // QUIT has gone: nothing would become of its mail.
  bool has_gone() const override;
  // Whether the content of the mail in hand has arrived to its end.
  void set_content_complete(bool is_complete) { has_whole_content_ = is_complete; }
  // From now on next_line() returns what has arrived already, and then `closed` instead of waiting for more.
  void wait_no_more() { waits_no_more_ = true; }

  // Since when the client has been waited for, to send or to read; nothing: it is not waited for.
  std::optional<Time> waiting_since() const { return waiting_since_; }

  // Whose time what is read from now on takes; 0: nobody's in particular.
  void set_payer(async::Payer payer) { payer_ = payer; }

  // Collects a reply.
  void queue(const smtp::Reply& reply) { reply.append_to(replies_); }
  // Sends the collected replies.
  Task<Result<Done, io::Error>> flush(Time deadline);
  // A flush() is under way: the session may not write anything else now.
  bool is_flushing() const { return flushing_since_.has_value(); }
  // When that flush() began; nothing when none is under way.
  std::optional<Time> flushing_since() const { return flushing_since_; }
  // Sends the collected replies, for which it takes a second at most, and closes the connection.
  Task<void> say_last_words();

  // Content: input() is what has arrived, valid until the next call that waits or reads; fill() waits for more, and
  // sends the collected replies before it waits.
  std::string_view input();
  void consume(std::size_t octets) { stream_->consume(octets); }
  Task<Result<Done, io::Error>> fill(Time deadline);

  io::Stream& stream() { return *stream_; }
  const io::Stream& stream() const { return *stream_; }
  // Puts TLS around the stream; the caller does the handshake, and makes sure before that nothing is left that was read
  // in the clear (S14).
  stream::TlsStream& secure(std::unique_ptr<tls::Engine> engine);

 private:
  void finish_line();
  bool has_sent_quit() const;

  async::Scheduler& scheduler_;
  std::unique_ptr<io::Stream> stream_;
  stream::TlsStream* secured_ = nullptr;  // stream_, when it is a TLS stream
  std::size_t max_line_octets_;
  smtp::ServerParser parser_;
  std::string replies_;
  std::optional<Time> flushing_since_;
  std::optional<Time> waiting_since_;
  bool waits_no_more_ = false;
  bool has_whole_content_ = false;
  async::Payer payer_ = 0;
  std::size_t line_octets_ = 0;  // of the line that next_line() returned last; the next call consumes them
};

// How long a client may take to read its replies before its session ends.
inline constexpr Duration reply_patience = std::chrono::seconds(300);

}  // namespace sallyport::session
