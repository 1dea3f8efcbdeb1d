// Unpredictable octets for keys, tokens and boundaries.
#pragma once

#include <cstddef>
#include <string>

namespace sallyport::crypto {

std::string random_octets(std::size_t count);

}  // namespace sallyport::crypto
