// What can go wrong between us and a peer.
#pragma once

#include <string_view>

namespace sallyport::io {

enum class Error {
  closed,       // the peer has ended its side in order, or we closed the stream ourselves
  reset,        // the connection broke
  timed_out,    // the deadline passed first
  refused,      // nobody listens there
  unreachable,  // no way to the host
  truncated,    // TLS ended without close_notify, in the middle of things (threats.md T11)
  tls,          // a TLS handshake or record failed
  exhausted,    // no descriptor, no memory, no local port
};

std::string_view name(Error error);

}  // namespace sallyport::io
