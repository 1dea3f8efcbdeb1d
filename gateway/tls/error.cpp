#include "gateway/tls/error.h"

#include <openssl/err.h>

#include <system_error>

namespace sallyport::tls {

std::string describe_tls_error() {
  const unsigned long error = ERR_peek_error();
  ERR_clear_error();
  // OpenSSL has no words for what the system says, such as of a file that is not there.
  if (ERR_SYSTEM_ERROR(error)) return std::generic_category().message(ERR_GET_REASON(error));
  const char* reason = ERR_reason_error_string(error);
  return reason ? reason : "unknown error";
}

}  // namespace sallyport::tls
