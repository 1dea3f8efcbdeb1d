// ServerNews: says once, in the log and in the counters, that the state of a server has changed (threats.md U19).
//
//     event=upstream state=down upstream=10.1.0.5:25 because="connect: refused"
//     event=upstream state=up upstream=10.1.0.5:25
//     event=upstream state=full upstream=10.1.0.5:25 bound=4 because="421 4.3.2 All connections in use"
//
// Every worker has one; the server tells which of them found the change out first.
#pragma once

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/upstream/channel.h"
#include "gateway/upstream/server.h"

namespace sallyport::upstream {

class ServerNews {
 public:
  ServerNews(Log& log, Counters& counters) : log_(log), counters_(counters) {}

  void connected(UpstreamServer& server, Time now);
  void failed_to_connect(UpstreamServer& server, const UpstreamError& error, Time now);
  void is_full(UpstreamServer& server, const UpstreamError& error, Time now);
  // Called at the end of a mail, which must not fail for lack of memory.
  void served(UpstreamServer& server, Time now) noexcept;
  void failed_to_serve(UpstreamServer& server, const UpstreamError& error, Time now);
  // Opportunistic TLS has failed, and the mail goes on in the clear (U20).
  void tls_failed(UpstreamServer& server, const UpstreamError& error, Time now);

 private:
  void is_up(const UpstreamServer& server);
  void is_down(const UpstreamServer& server, std::string_view reason);

  Log& log_;
  Counters& counters_;
};

}  // namespace sallyport::upstream
