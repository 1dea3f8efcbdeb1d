#include "gateway/tls/verify.h"

#include <openssl/err.h>

#include "gateway/tls/context_parts.h"

namespace sallyport::tls {

namespace {

bool is_too_long(X509_STORE_CTX* store) {
  // Counts all certificates the peer sent, including its own.
  if (sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) <= max_chain_certificates) return false;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
  return true;
}

}  // namespace

int verify_or_fail(X509_STORE_CTX* store, void*) { return is_too_long(store) ? 0 : X509_verify_cert(store); }

int verify_and_note(X509_STORE_CTX* store, void*) {
  if (is_too_long(store)) return 0;
  // What the library thinks of a certificate that we take all the same may not stay in its queue of errors: if the
  // handshake then has to wait for more octets, SSL_get_error() takes that for the reason, and the handshake for
  // failed.
  ERR_set_mark();
  X509_verify_cert(store);
  ERR_pop_to_mark();
  return 1;
}

int accept_any(X509_STORE_CTX* store, void*) {
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 1;
}

}  // namespace sallyport::tls
