// An explanation for programs: everything, under names that stay.
#pragma once

#include <string>

#include "gateway/app/explanation.h"

namespace sallyport::app {

// One object, on several lines, with a final line end. Octets that are no UTF-8 become U+FFFD.
std::string explain_json(const Explanation& explanation);

}  // namespace sallyport::app
