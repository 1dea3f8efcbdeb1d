// STARTTLS (RFC 3207), and TLS from the first octet.
#include <algorithm>
#include <utility>

#include "gateway/session/session.h"
#include "gateway/stream/tls_stream.h"

namespace sallyport::session {

namespace {

// Under load the places of those who do not come to the point are wanted for others (T3).
constexpr Duration handshake_under_load = std::chrono::seconds(10);

Violation kind_of_failure(io::Error error, const stream::TlsStream& stream) {
  if (error == io::Error::timed_out) return Violation::tls_stall;
  return stream.was_refused() ? Violation::tls_refused : Violation::tls_error;
}

}  // namespace

Task<Flow> Session::on_starttls() {
  channel_.queue(smtp::Reply(220, "2.0.0", "Ready to start TLS"));
  auto sent = co_await channel_.flush(now() + reply_patience);
  if (!sent) co_return Flow::end;
  auto secured = co_await secure();
  if (!secured) co_return Flow::end;
  end_mail();
  sequence_.tls_established();
  forget_introduction();
  connection_.client.helo.clear();
  connection_.client.extended = false;
  offered_ = {};
  co_return Flow::next;
}

Task<Result<Done, io::Error>> Session::secure() {
  ensure(listener_.tls != nullptr, "TLS without a certificate");
  enter(Phase::handshake);
  stream::TlsStream& secured = channel_.secure(listener_.tls->make_engine());
  Duration patience = settings().timeouts.handshake;
  if (host_.pressure.level() != io::Pressure::Level::none) patience = std::min(patience, handshake_under_load);
  auto shaken = co_await secured.handshake(now() + patience);
  if (!shaken) {
    record(kind_of_failure(shaken.error(), secured));
    co_return shaken;
  }
  enter(Phase::working);
  host_.counters.add(Total::tls_handshakes);
  const tls::Info& info = secured.info();
  connection_.client.tls = policies::TlsFacts{.version = std::string(info.version),
                                              .cipher = std::string(info.cipher),
                                              .bits = info.bits,
                                              .sni = info.sni,
                                              .resumed = info.resumed,
                                              .client_is_verified = info.peer_verified,
                                              .client_subject = info.peer_subject,
                                              .client_issuer = info.peer_issuer};
  host_.counters.add(Gauge::tls_sessions, 1);  // taken back where there are such facts
  co_return shaken;
}

void Session::presume_tls(policies::TlsFacts facts) {
  sequence_.tls_established();
  connection_.client.tls = std::move(facts);
  host_.counters.add(Gauge::tls_sessions, 1);
}

}  // namespace sallyport::session
