#include "gateway/tls/verify.h"

#include "gateway/tls/context_parts.h"
#include "gateway/tls/guarded.h"

namespace sallyport::tls {

namespace {

bool is_too_long(X509_STORE_CTX* store) {
  // Counts all certificates the peer sent, including its own.
  if (sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) <= max_chain_certificates) return false;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
  return true;
}

}  // namespace

// The result of the verification is kept in `store`; what the library thinks on its way to it may not stay in its queue
// of errors.
int verify_or_fail(X509_STORE_CTX* store, void*) noexcept {
  if (is_too_long(store)) return 0;
  constexpr int not_verified = 0;
  return guarded(not_verified, [store] { return X509_verify_cert(store) == 1 ? 1 : not_verified; });
}

int verify_and_note(X509_STORE_CTX* store, void*) noexcept {
  if (is_too_long(store)) return 0;
  guarded(0, [store] { return X509_verify_cert(store); });
  return 1;
}

int accept_any(X509_STORE_CTX* store, void*) noexcept {
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 1;
}

}  // namespace sallyport::tls
