// Verification of a peer's chain, as OpenSSL calls it (SSL_CTX_set_cert_verify_callback). The outcome is what
// SSL_get_verify_result() gives afterwards.
#pragma once

#include "gateway/tls/openssl.h"

namespace sallyport::tls {

// The handshake fails unless the chain verifies.
int verify_or_fail(X509_STORE_CTX* store, void*);
// It goes on either way, but not after a chain of more than 10 certificates (threats.md T7).
int verify_and_note(X509_STORE_CTX* store, void*);
// Any certificate will do, and no time is spent on it.
int accept_any(X509_STORE_CTX* store, void*);

}  // namespace sallyport::tls
