// One connection to an upstream server: greeting, EHLO, STARTTLS, then commands and their replies in order.
//
// The upstream is a stranger too (threats.md, section 4): a reply counts only for a command that was sent completely,
// and one that comes early, garbled or unasked makes the connection useless. After any UpstreamError the channel must
// be dropped.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/counters.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/io/dialer.h"
#include "gateway/io/stream.h"
#include "gateway/session/upstream_board.h"
#include "gateway/smtp/extensions.h"
#include "gateway/smtp/reply_parser.h"
#include "gateway/tls/context.h"

namespace sallyport::session {

class TlsStream;

struct UpstreamError {
  enum class Kind : std::uint8_t {
    down,         // refused, unreachable, closed, reset, 4xx or 5xx as greeting or to EHLO: 451 4.4.1
    timed_out,    // 451 4.4.1 before the end of data, 451 4.4.2 after it
    closing,      // 421 in the middle: 451 4.3.0
    protocol,     // replies that make no sense: 451 4.3.0
    early,        // a reply in the middle of the content: 451 4.3.0
    tls,          // TLS was required and is not to be had: 451 4.7.5
    client_lost,  // not its doing: the client left before the message was complete, so it was broken off (U13)
    spool,        // not its doing: our own file could not be read (R6)
  };
  Kind kind = Kind::down;
  std::string detail;         // in our words, for the log
  bool nothing_read = false;  // not one octet of a reply was seen (U9)
};

struct UpstreamTimeouts {
  Duration connect;
  Duration reply;
};

class UpstreamChannel {
 public:
  template <class T>
  using Outcome = Result<T, UpstreamError>;

  // Connects, greets and, where asked, starts TLS. `ehlo_name` is our host name.
  static Task<Outcome<std::unique_ptr<UpstreamChannel>>> open(async::Scheduler& scheduler, io::Dialer& dialer,
                                                              const tls::ClientContext* tls,
                                                              const config::UpstreamSettings& settings,
                                                              SocketAddress server, std::string ehlo_name,
                                                              UpstreamTimeouts timeouts);

  const smtp::Extensions& extensions() const { return extensions_; }
  bool is_tls() const { return is_tls_; }
  // Octets are waiting that have not been read as a reply.
  bool has_spoken() const;
  // True while it may be used for another mail: open, and silent as it should be (U4).
  bool is_usable() const { return !has_spoken() && !is_speaking() && stream_->is_open(); }
  // Before another mail: nothing has been read for it (U9).
  void start_anew() { nothing_read_ = true; }
  // Replies still owed by the server.
  std::size_t owed() const { return owed_; }

  // Sends complete commands; `replies` of them will be answered. What the server said unasked is an error.
  Task<Outcome<Done>> send(std::string_view commands, std::size_t replies, Time deadline);
  Task<Outcome<smtp::UpstreamReply>> read_reply(Time deadline);
  // One command and its reply.
  Task<Outcome<smtp::UpstreamReply>> ask(std::string commands, Time deadline);
  // Sends octets of content; nothing is answered until finish_content().
  Task<Outcome<Done>> send_content(std::span<const std::string_view> parts, Time deadline);
  // Like send_content, and with these octets the message is complete: one reply is owed from here.
  Task<Outcome<Done>> finish_content(std::span<const std::string_view> parts, Time deadline);

  // QUIT, a moment for its answer, and the end.
  Task<void> say_goodbye();
  // Ends without a word: nothing half sent may be taken for complete.
  void abort() { stream_->abort(); }

 private:
  UpstreamChannel(async::Scheduler& scheduler, std::unique_ptr<io::Stream> stream, UpstreamTimeouts timeouts)
      : scheduler_(scheduler), stream_(std::move(stream)), timeouts_(timeouts) {}

  Task<Outcome<Done>> greet(std::string ehlo_name);
  Task<Outcome<Done>> say_ehlo(std::string ehlo_name);
  Task<Outcome<Done>> start_tls(const tls::ClientContext* tls, const config::UpstreamSettings& settings,
                                SocketAddress server, std::string ehlo_name);
  UpstreamError broken(io::Error error) const;
  // The rest of what it says is still on its way: half a record.
  bool is_speaking() const;

  async::Scheduler& scheduler_;
  std::unique_ptr<io::Stream> stream_;
  TlsStream* secured_ = nullptr;  // stream_, when it is that
  UpstreamTimeouts timeouts_;
  smtp::ReplyParser parser_;
  smtp::Extensions extensions_;
  std::size_t owed_ = 0;
  bool nothing_read_ = true;
  bool is_tls_ = false;
};

}  // namespace sallyport::session
