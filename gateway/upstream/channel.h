// UpstreamChannel: one connection to an upstream server: greeting, EHLO, STARTTLS, then commands and their replies in
// order. A server that speaks LMTP (RFC 2033) gets LHLO instead, and one recipient for each mail, so that it gives one
// reply after the content as any other.
//
// The upstream is not trusted either (threats.md, section 4): a reply counts only for a command that was sent
// completely. A reply that comes early, malformed or unasked makes the connection unusable. After any UpstreamError the
// caller drops the channel. Used on the loop of its pool's worker.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/counters.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/io/dialer.h"
#include "gateway/io/shortage.h"
#include "gateway/io/stream.h"
#include "gateway/smtp/extensions.h"
#include "gateway/smtp/reply_parser.h"
#include "gateway/tls/context.h"
#include "gateway/upstream/client_info.h"
#include "gateway/upstream/group.h"

namespace sallyport::stream {
class TlsStream;
}

namespace sallyport::upstream {

struct UpstreamError {
  enum class Kind : std::uint8_t {
    down,         // connect refused, unreachable, closed, reset, 5xx as greeting or to EHLO: 451 4.4.1
    full,         // 421 or 4xx as greeting or to EHLO: the pool waits, or makes it `down` (U7)
    resource,     // not the upstream's fault: no descriptor, port, memory or helper of ours, for a connection that is
                  // opened or on an open one: 451 4.3.1 before the end of data, 451 4.4.2 after it
    timed_out,    // 451 4.4.1 before the end of data, 451 4.4.2 after it
    closing,      // 421 after EHLO: 451 4.3.0
    changed,      // opened again, the transaction was not answered as before (U17): 451 4.3.0
    protocol,     // replies that break the protocol: 451 4.3.0
    early,        // a reply before the content was complete: 451 4.3.0
    unwelcome,    // the server refuses the client for whom the connection was opened (a PROXY header, tproxy)
    tls,          // TLS is required and could not be established: 451 4.7.5
    client_lost,  // not the upstream's fault: the client left before its message was complete, so we broke off (U13)
    spool,        // not the upstream's fault: our spool file could not be read (R6)
  };
  Kind kind = Kind::down;
  std::string detail;                               // for the log; what the server has said is filtered
  bool nothing_read = false;                        // no octet of a reply has arrived for this mail (U9)
  bool was_connected = false;                       // of an open(): the server had accepted the connection
  std::optional<smtp::UpstreamReply> refusal = {};  // of `unwelcome` and `closing`: what the server said
  io::Shortage shortage = io::Shortage::unknown;    // of `resource`
};

// How long a kept connection may be used (upstreams.*.connection_*).
struct Retention {
  Duration age{};
  std::uint64_t mails = 0;
  Duration idle{};
};

// What has happened to a connection on which no reply is owed.
enum class Standing : std::uint8_t {
  ready,
  spoken,    // the server has said what nobody asked for: a fault of the protocol
  farewell,  // it has said 4xx unasked: it is about to close the connection, as servers do with silent clients (U2)
  closed,
};

class UpstreamChannel {
 public:
  template <class T>
  using Outcome = Result<T, UpstreamError>;

  // Connects for that client, or with a null `client` for ourselves, reads the greeting, says EHLO and, unless
  // settings.tls.mode is off, starts TLS. `ehlo_name` is our host name. A null `tls` means that TLS is not available:
  // an error where it is required, else the connection stays in clear. `tls`, `settings` and `client` must outlive the
  // task.
  static Task<Outcome<std::unique_ptr<UpstreamChannel>>> open(async::Scheduler& scheduler, io::Dialer& dialer,
                                                              const tls::ClientContext* tls,
                                                              const config::UpstreamSettings& settings, Endpoint server,
                                                              std::string ehlo_name, UpstreamTimeouts timeouts,
                                                              const ClientInfo* client = nullptr);

  // What the server's last EHLO reply offers, without what upstreams.*.hide names.
  const smtp::Extensions& extensions() const { return extensions_; }
  // The timeouts given to open().
  const UpstreamTimeouts& timeouts() const { return timeouts_; }
  bool is_tls() const { return is_tls_; }
  // For whom the server takes this connection to speak (identity_of()).
  const std::string& speaks_for() const { return client_; }
  void speak_for(std::string client) { client_ = std::move(client); }
  // True if the connection can carry mail for this identity, where XCLIENT is needed after that has been said.
  bool can_speak_for(std::string_view client, config::ClientInfoWay way) const;
  // EHLO, or LHLO, under this name, once more or for the first time; when the server accepts it, extensions() is read
  // from its reply.
  Task<Outcome<smtp::UpstreamReply>> say_hello(const config::UpstreamSettings& settings, std::string name,
                                               Time deadline);

  // True if the server has not got all that was sent to it: then it cannot have meant all of it (U3).
  bool has_undelivered() const { return stream_->has_undelivered(); }
  // True if octets have arrived that were not read as a reply.
  bool has_spoken() const;
  // True if the connection may be used for another mail: it is open, and the server has sent nothing unasked (U4).
  bool is_usable() const { return !has_spoken() && !is_speaking() && stream_->is_open(); }
  Standing standing() const;
  // Since the connection was opened.
  Duration age() const { return scheduler_.now() - opened_at_; }
  // A mail is begun on it; a recipient was refused on it for good.
  void count_mail() { ++mails_; }
  void count_refusal() { ++refusals_; }
  std::uint64_t refusals() const { return refusals_; }
  // It is not to be kept.
  void wear_out() { is_worn_out_ = true; }
  // True if it must not be used for another mail: for its age, its mails (LIMITS MAILMAX counts too), or the recipients
  // that were refused on it: servers delay or end sessions with many errors.
  bool is_worn_out(const Retention& retention) const;
  // How long it may be kept, when it is not used from now on.
  Time keep_until(const Retention& retention) const {
    // One client's connection is of use while that client sends one mail after the other.
    constexpr Duration idle_of_one_client = std::chrono::seconds(5);
    const Duration idle = client_.empty() ? retention.idle : std::min(retention.idle, idle_of_one_client);
    return std::min(scheduler_.now() + idle, opened_at_ + retention.age);
  }
  // Called before another mail: resets the mark that says whether anything was read (UpstreamError::nothing_read).
  void start_anew() { nothing_read_ = true; }
  // How many replies the server still owes.
  std::size_t owed() const { return owed_; }

  // Sends one or more complete commands, to which the server owes `replies` replies. When it has sent something unasked
  // before, the error is `protocol`.
  Task<Outcome<Done>> send(std::string_view commands, std::size_t replies, Time deadline);
  Task<Outcome<smtp::UpstreamReply>> read_reply(Time deadline);
  // Sends one command and reads its reply.
  Task<Outcome<smtp::UpstreamReply>> ask(std::string commands, Time deadline);
  // Sends octets of content. The server owes no reply until finish_content().
  Task<Outcome<Done>> send_content(std::span<const std::string_view> parts, Time deadline);
  // Like send_content(); these octets complete the message, so the server then owes one reply.
  Task<Outcome<Done>> finish_content(std::span<const std::string_view> parts, Time deadline);

  // Says QUIT, waits at most 5 s for the answer, and closes. Resets the connection when there is no answer. While
  // `is_wanted` says that somebody waits for the place, a server has 200 ms.
  Task<void> say_goodbye(std::function<bool()> is_wanted = {});
  // Resets the connection, so that the server does not take a message sent in part for complete.
  void abort() { stream_->abort(); }

 private:
  UpstreamChannel(async::Scheduler& scheduler, std::unique_ptr<io::Stream> stream, UpstreamTimeouts timeouts)
      : scheduler_(scheduler), stream_(std::move(stream)), timeouts_(timeouts), opened_at_(scheduler.now()) {}

  Task<Outcome<Done>> open_for(const ClientInfo* client, config::ClientInfoWay way, Endpoint server);
  Task<Outcome<Done>> greet(const config::UpstreamSettings& settings, std::string ehlo_name);
  Task<Outcome<Done>> say_ehlo(const config::UpstreamSettings& settings, std::string ehlo_name);
  Task<Outcome<Done>> secure(const tls::ClientContext* tls, const config::UpstreamSettings& settings, Endpoint server,
                             std::string ehlo_name);
  Task<Outcome<Done>> start_tls(const tls::ClientContext* tls, const config::UpstreamSettings& settings,
                                Endpoint server);
  // Of a step that is given so long, while the connection is being opened.
  Time opening_deadline(Duration patience) const { return std::min(timeouts_.open_by, scheduler_.now() + patience); }
  UpstreamError broken(io::Error error) const;
  // True if a part of a TLS record has arrived, so that more must follow.
  bool is_speaking() const;

  async::Scheduler& scheduler_;
  std::unique_ptr<io::Stream> stream_;
  stream::TlsStream* secured_ = nullptr;  // points to *stream_ when that is a TlsStream, else null
  UpstreamTimeouts timeouts_;
  smtp::ReplyParser parser_;
  smtp::Extensions extensions_;
  std::size_t owed_ = 0;
  Time opened_at_;
  std::uint64_t mails_ = 0;
  std::uint64_t refusals_ = 0;
  bool is_worn_out_ = false;
  bool nothing_read_ = true;
  bool is_tls_ = false;
  bool is_tampered_with_ = false;  // somebody on the way has spoken for the server
  std::string client_;
  bool is_for_a_client_ = false;  // it was opened in a client's name
  bool has_proxy_header_ = false;
};

}  // namespace sallyport::upstream
