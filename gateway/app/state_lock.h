// The lock on a state directory: of all gateways whose `state.path` it is, one at a time works there (threats.md R12).
//
// A gateway holds it from its start until its end, or until it drains and another gateway that starts asks for it over
// the control socket. Whoever has it may put its control socket in the place of one that nobody serves. The processes
// of one gateway share it by its descriptor: the supervising process keeps that for the next serving one. The kernel
// lets go of it when all of them are gone, however that came.
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
// True where the descriptor, as another process of this gateway has had it, is that of this directory's lock; then the
// lock is this process's, too.
bool is_lock_of(const Descriptor& lock, const std::string& state);
// For people: who looks for the holder finds this process in the file. lock_state() has done it.
void write_holder_of_state(const Descriptor& lock);
// For all processes that share it.
void unlock_state(const Descriptor& lock) noexcept;
// The process that took the lock last, in words: "process 4711".
std::string holder_of_state(const std::string& state);

}  // namespace sallyport::app
