// The explanation as text, for people: the verdict and its reason first, then a line for each check, followed by
// details where the policy gives some or asked the DNS.
#pragma once

#include <string>

#include "gateway/explain/explanation.h"

namespace sallyport::explain {

// Gives lines of printable ASCII and UTF-8. Text from peers is filtered, so that it cannot send control sequences to
// the reader's terminal.
std::string explain_text(const Explanation& explanation);

}  // namespace sallyport::explain
