// The explanation as JSON, for programs: contains everything, and the names of the fields do not change between
// versions.
#pragma once

#include <string>

#include "gateway/explain/explanation.h"

namespace sallyport::explain {

// Gives one object, over several lines, with a final line end. Octets that are not UTF-8 become U+FFFD.
std::string explain_json(const Explanation& explanation);

}  // namespace sallyport::explain
