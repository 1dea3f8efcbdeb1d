// Compression of reports (RFC 1952). The door to zlib.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::report {

// The same octets give the same file: without a time or a name in it.
std::string gzip(std::string_view octets);

}  // namespace sallyport::report
