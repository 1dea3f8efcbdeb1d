// Compresses reports (RFC 1952). The only place that uses zlib.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::report {

// Equal input gives equal output: the header contains no time and no name.
std::string gzip(std::string_view octets);

}  // namespace sallyport::report
