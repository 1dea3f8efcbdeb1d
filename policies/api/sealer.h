// MailSealer: seals a mail that the gateway changes (RFC 8617), so that a receiver that trusts our seal does not take
// the changes for forgery. A Gatherer owns it; it is used on the worker's thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/base/units.h"
#include "gateway/mail/auth_results.h"
#include "gateway/mail/header.h"
#include "gateway/signature/body_hash.h"
#include "policies/api/facts.h"

namespace sallyport::policies {

class MailSealer {
 public:
  virtual ~MailSealer() = default;

  struct Request {
    const mail::HeaderSection& header;  // the header as it will be sent, with the ARC fields that came
    // Hashes of the body, which is sent as it came; those for body_form() are among them.
    const std::vector<signature::BodyHash>& body_hashes;
    const Facts& facts;                // what was found out about the mail as it came
    const mail::AuthResults& results;  // our authentication results for it
    WallTime now;
  };
  // The form in which the body must be hashed while it arrives.
  virtual signature::BodyForm body_form() const = 0;
  // Gives whole header fields to put on top; nothing when the mail may not be sealed.
  virtual std::optional<std::string> seal(const Request& request) const = 0;
};

}  // namespace sallyport::policies
