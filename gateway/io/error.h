// Error: what can go wrong on a connection. name() gives the words for the log.
#pragma once

#include <string_view>

namespace sallyport::io {

enum class Error {
  closed,       // the peer ended its side in an orderly way, or we closed the stream ourselves
  reset,        // the connection broke
  timed_out,    // the deadline passed first
  refused,      // nobody listens at that address
  unreachable,  // no route to the host, or a local rule forbids it
  truncated,    // TLS ended without close_notify while more was expected (threats.md T11)
  tls,          // a TLS handshake or record failed
  exhausted,    // no descriptor, no memory, no local port
  no_helper,    // the process that makes sockets for clients' addresses has ended, is silent, or was never started
};

std::string_view name(Error error);

}  // namespace sallyport::io
