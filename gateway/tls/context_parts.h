// The members of the contexts, for the sources of this folder.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "gateway/tls/context.h"
#include "gateway/tls/openssl.h"
#include "gateway/tls/server_name.h"
#include "gateway/tls/session_cache.h"
#include "gateway/tls/ticket_keys.h"

namespace sallyport::tls {

struct ServerContext::Parts {
  struct Validity {
    std::string file;
    WallTime from;
    WallTime until;
  };

  explicit Parts(TimeSource now) : ticket_keys(std::move(now)) {}

  mutable TicketKeys ticket_keys;
  std::vector<OwnedSslContext> contexts;  // the default first, then one per name in `names`
  ServerNames names;
  std::vector<Validity> validities;
};

struct ClientContext::Parts {
  ClientTlsSettings settings;
  OwnedSslContext context;
  mutable SessionCache sessions;
};

// The settings common to both sides. `min_version` is TLS1_2_VERSION or TLS1_3_VERSION.
OwnedSslContext make_ssl_context(const SSL_METHOD* method, int min_version, int security_level);
// Trusts the authorities in the file, or the system's if `ca_file` is empty.
Result<Done> trust(SSL_CTX& context, const std::string& ca_file);

// The longest chain we verify, and the largest we read (threats.md T7).
inline constexpr int max_chain_certificates = 10;
inline constexpr std::size_t max_chain_octets = std::size_t{64} * 1024;

}  // namespace sallyport::tls
