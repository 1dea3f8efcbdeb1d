// Whether networks together hold every address of a family: an exception for everybody.
#pragma once

#include <vector>

#include "gateway/base/address.h"

namespace sallyport {

enum class Family { v4, v6 };

bool cover_all(const std::vector<IpNetwork>& networks, Family family);

}  // namespace sallyport
