// Whether a server's answers to a client's address come to this host, and are taken here for its own: what connections
// from clients' addresses (client_info = "tproxy") need of its routing. It is asked of the kernel (rtnetlink), for a
// client at an address of the documentation; a moment's work that waits for no other host.
//
// A packet filter may mark such packets, and a rule go by the mark; that is not seen here, so what is missing is a
// reason to warn and no more.
#pragma once

#include <optional>
#include <string>

#include "gateway/base/address.h"

namespace sallyport::cli {

// What is missing, with the commands that mend it; nothing when all is well, or the kernel does not say.
std::optional<std::string> missing_reply_route(const SocketAddress& server);

}  // namespace sallyport::cli
