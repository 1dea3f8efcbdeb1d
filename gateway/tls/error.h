// OpenSSL's errors in words that are safe to log.
#pragma once

#include <string>

namespace sallyport::tls {

// The first error in this thread's OpenSSL queue by its fixed reason ("no shared cipher"), which never holds text of a
// peer; "unknown error" when there is none. The queue is empty afterwards.
std::string describe_tls_error();

}  // namespace sallyport::tls
