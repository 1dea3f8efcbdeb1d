// The header section with which a judged mail leaves (header_out.h makes it), from what its checks have found and said.
#pragma once

#include <string>

#include "gateway/base/units.h"
#include "gateway/checks/checks.h"
#include "gateway/checks/disposition.h"
#include "gateway/mail/message.h"
#include "gateway/mail/outgoing_header.h"

namespace sallyport::checks {

struct LeavingMail {
  const policies::Transaction& mail;
  const mail::Message& message;
  const Disposition& disposition;
  const std::string& hostname;
  WallTime now;
  // False: the MTA that asked us writes a Received field itself.
  bool has_received = true;
};

// With our seal (ARC), where there is one and the mail leaves otherwise than it came. The result points into the
// message and must not outlive it.
mail::OutgoingHeader leaving_header(const Checks& checks, const LeavingMail& leaving);

}  // namespace sallyport::checks
