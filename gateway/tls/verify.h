// Verifies a peer's chain; callbacks for SSL_CTX_set_cert_verify_callback. SSL_get_verify_result() gives the result
// afterwards.
#pragma once

#include "gateway/tls/openssl.h"

namespace sallyport::tls {

// Fails the handshake unless the chain verifies.
int verify_or_fail(X509_STORE_CTX* store, void*) noexcept;
// Continues the handshake either way, unless the chain has more than 10 certificates (threats.md T7).
int verify_and_note(X509_STORE_CTX* store, void*) noexcept;
// Accepts any certificate without examining it.
int accept_any(X509_STORE_CTX* store, void*) noexcept;

}  // namespace sallyport::tls
