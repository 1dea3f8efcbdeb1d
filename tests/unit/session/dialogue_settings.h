// The settings that a dialogue file can make with `config KEY VALUE`.
#pragma once

#include <string>

#include "tests/unit/session/world.h"

namespace sallyport::session {

// Sets one setting; to be called before the world's first connection. False when there is no such key; throws
// std::runtime_error for a bad value.
bool configure(World& world, const std::string& key, const std::string& value);

}  // namespace sallyport::session
