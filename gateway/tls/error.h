// Describes OpenSSL's errors in texts that are safe to log.
#pragma once

#include <string>

namespace sallyport::tls {

// The first error in this thread's OpenSSL queue, by its fixed reason ("no shared cipher"), which never contains text
// of a peer; "unknown error" if there is none. Clears the queue.
std::string describe_tls_error();

}  // namespace sallyport::tls
