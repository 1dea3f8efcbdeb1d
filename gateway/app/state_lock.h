// The lock on a state directory: of all gateways whose `state.path` it is, one at a time works there (threats.md R12).
//
// A gateway holds it from its start until its end, or until it drains and a successor asks for it over the control
// socket. Whoever has it may put its control socket in the place of one that nobody serves. The kernel lets go of it
// when the process is gone, however that came.
#pragma once

#include <optional>
#include <string>

#include "gateway/base/descriptor.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"

namespace sallyport::app {

// Takes the lock by `<state>/lock`, which it makes, and waits for it no longer than `patience`. Nothing: another
// process has it. The lock lasts as long as the descriptor. On a filesystem without locks it is given to everybody.
Result<std::optional<Descriptor>> lock_state(const std::string& state, Duration patience);
// The process that took the lock last, in words: "process 4711".
std::string holder_of_state(const std::string& state);

}  // namespace sallyport::app
