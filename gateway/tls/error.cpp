#include "gateway/tls/error.h"

#include <openssl/err.h>

namespace sallyport::tls {

std::string describe_tls_error() {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return reason ? reason : "unknown error";
}

}  // namespace sallyport::tls
