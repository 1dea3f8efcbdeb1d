// The balancer's PROXY header (threats.md S35), read before anything else from the peers that must send one.
#include "gateway/session/session.h"
#include "gateway/smtp/proxy_header.h"

namespace sallyport::session {

Task<Flow> Session::read_proxy_header() {
  constexpr Duration patience = std::chrono::seconds(5);
  Time deadline = now() + patience;
  while (true) {
    auto header = smtp::read_proxy_header(channel_.input());
    if (header) {
      channel_.consume(header->consumed);
      if (header->source) {  // LOCAL, UNKNOWN: the balancer speaks for itself
        connection_.client.ip = header->source->ip;
        connection_.client.port = header->source->port;
        destination_ = *header->destination;
      }
      co_return Flow::next;
    }
    bool more_may_help = header.error() == smtp::ProxyError::incomplete && channel_.input().size() < io::block_octets;
    if (!more_may_help || !co_await channel_.fill(deadline)) break;
  }
  record(Violation::proxy_untrusted);
  channel_.stream().abort();
  co_return Flow::end;
}

}  // namespace sallyport::session
