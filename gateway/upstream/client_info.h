// ClientInfo: what a server behind us is told about the client whose mail it gets (upstreams.*.client_info).
//
// A server may need the client's own address, for its access rules, limits and log; what it sees is ours. Depending on
// the setting it learns more than the header of the mail says:
// - XFORWARD, for one mail and the log only: said before each MAIL.
// - XCLIENT, for the connection: said before MAIL, where the connection does not speak for that client yet. Postfix
//   takes it once on a connection; others take it again.
// - the PROXY protocol, for the connection: its first octets.
// - nothing is said, and the connection is made from the client's address (tproxy; source_address.h).
// Whatever a client has said travels as xtext, or not at all.
//
// A server that does not offer XCLIENT or XFORWARD, or does not let us use it, or cannot see the client's address, gets
// the mail all the same: mail must flow, and the Received field has the address. That this happens is reported
// (Introduction::untold).
#pragma once

#include <optional>
#include <string>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "gateway/base/endpoint.h"
#include "gateway/base/result.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/io/stream.h"
#include "gateway/smtp/reply_parser.h"

namespace sallyport::upstream {

class UpstreamChannel;
struct UpstreamError;
struct UpstreamGroup;

struct ClientInfo {
  SocketAddress address;
  SocketAddress destination;  // where the client connected to
  std::string name;           // its reverse name, when that leads back to its address; else empty
  bool is_nameless = false;   // it was found that there is no such name; false with an empty name: nobody knows
  std::string helo;
  bool extended = false;  // EHLO
  std::string mail_id;    // ours
};

// What a new connection begins with when it is made for the client, or, with a null `client`, for ourselves (probes,
// mail of our own). `ends`: those of the connection. Empty: nothing.
//
// For ourselves version 1 gives the connection's own addresses, as UNKNOWN, which the protocol has for that, is refused
// by Postfix with 421.
std::string opening_octets(config::ClientInfoWay way, const ClientInfo* client,
                           const std::optional<io::Stream::Ends>& ends);

// For whom a connection of this kind to the server speaks, as a key. Connections with equal keys may carry each other's
// mail. Empty: for nobody in particular.
std::string identity_of(config::ClientInfoWay way, const ClientInfo* client, const Endpoint& server);

// What came of introduce().
struct Introduction {
  // The server does not want this client: its answer to the mail. The connection can carry no other one.
  std::optional<smtp::UpstreamReply> refusal;
  // Why the server knows nothing of the client, in our own words; empty when all is well.
  std::string untold;
};
// Says over the channel to `server`, before MAIL, who the client is, as far as the group's setting wants that.
// `channel`, `group`, `server` and `client` must outlive the task.
Task<Result<Introduction, UpstreamError>> introduce(UpstreamChannel& channel, const UpstreamGroup& group,
                                                    const Endpoint& server, const ClientInfo& client,
                                                    async::Scheduler& scheduler, Duration patience);

}  // namespace sallyport::upstream
