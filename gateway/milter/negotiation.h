// What an MTA and a milter agree on at the beginning of a connection.
//
// The MTA offers what it can do; the milter answers with a part of it. Versions 2 to 6 are spoken; of an older one only
// what it has is offered and believed: UNKNOWN came with version 3, DATA with 4, everything else with 6.
#pragma once

#include <optional>

#include "gateway/milter/command.h"

namespace sallyport::milter {

// The options that a version knows.
std::uint32_t options_of(std::uint32_t version);
std::uint32_t actions_of(std::uint32_t version);

// The MTA's side: what holds, given its own offer and the milter's answer. Nothing when the milter speaks a version
// that we do not, or wants what was not offered (threats.md F2).
std::optional<Terms> settle(const Terms& offered, const Terms& answered);

// The milter's side: what to answer to an MTA's offer. `wanted` are the actions and options that this milter needs.
// Without an answer to an event being wanted (option::silent_*), it can still be given, so those are dropped where the
// MTA does not have them, and so are no_data and no_unknown, which an old MTA does not send anyway. Nothing when the
// MTA speaks no version of ours, or lacks anything else that is wanted.
std::optional<Terms> answer_to(const Terms& offered, const Terms& wanted);

// Whether the milter wants to see a command of this kind: true for those that cannot be declined.
bool is_wanted(const Terms& terms, Verb verb);
// Whether the milter answers it.
bool is_answered(const Terms& terms, Verb verb);

}  // namespace sallyport::milter
