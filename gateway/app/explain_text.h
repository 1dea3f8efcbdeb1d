// An explanation for people: the verdict and its reason first, then a line for each check, with more beneath only where
// something went wrong or the DNS was asked.
#pragma once

#include <string>

#include "gateway/app/explanation.h"

namespace sallyport::app {

// Printable ASCII and UTF-8, in lines; what strangers wrote cannot move the cursor of whoever reads it.
std::string explain_text(const Explanation& explanation);

}  // namespace sallyport::app
