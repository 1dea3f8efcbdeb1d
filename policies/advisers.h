// The policies that have a word on their settings.
#pragma once

#include <span>

#include "policies/api/advice.h"

namespace sallyport::policies {

std::span<const Adviser> advisers();

}  // namespace sallyport::policies
