// A script played twice, by a real session and by the model: do they agree?
#pragma once

#include <string>

#include "tests/unit/session/session_script.h"

namespace sallyport::session {

// What they do not agree on, and where; empty when on every reply and on all that the upstreams have taken.
std::string play_duel(const Script& script);

}  // namespace sallyport::session
