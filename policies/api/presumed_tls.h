// The TLS of a client whose connection is only presumed: in a dry run, and in tests of rules that say no more than that
// there was TLS.
#pragma once

#include "policies/api/transaction.h"

namespace sallyport::policies {

inline TlsFacts presumed_tls() {
  TlsFacts tls;
  tls.version = "TLSv1.3";
  tls.cipher = "TLS_AES_256_GCM_SHA384";
  tls.bits = 256;
  return tls;
}

}  // namespace sallyport::policies
