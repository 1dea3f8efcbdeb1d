// The changes of a header section as an MTA is asked for them: our fields on top, further ones at their places, fields
// changed and removed one by one.
#pragma once

#include <string>

#include "gateway/mail/header.h"
#include "gateway/mail/outgoing_header.h"
#include "gateway/milter/command.h"

namespace sallyport::milter_service {

// Adds them to `out`, in an order in which each finds the fields that it is about: further fields from the bottom up,
// while all that came are there; changes and removals from the bottom up; further fields at the end; and ours, on top.
// `came` is the section that `leaving` was made from. What was not agreed on is left out.
void encode_edits(std::string& out, const milter::Terms& terms, const mail::HeaderSection& came,
                  const mail::OutgoingHeader& leaving);

}  // namespace sallyport::milter_service
