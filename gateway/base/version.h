// The version of this build.
#pragma once

#include <string_view>

namespace sallyport {

std::string_view version();

}  // namespace sallyport
