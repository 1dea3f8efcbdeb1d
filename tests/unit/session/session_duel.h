// Plays a script against a real session and against the model, and compares the two.
#pragma once

#include <string>

#include "tests/unit/session/session_script.h"

namespace sallyport::session {

// Returns the first difference and its step; empty when every reply agrees and so do the messages that the upstreams
// have taken.
std::string play_duel(const Script& script);

}  // namespace sallyport::session
