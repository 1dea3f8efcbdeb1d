// MailSealer: puts our seal on a mail that leaves otherwise than it came, so that whoever trusts us need not take our
// changes for forgery.
#pragma once

#include <optional>
#include <string>

#include "gateway/base/units.h"
#include "gateway/mail/auth_results.h"
#include "gateway/mail/message.h"
#include "policies/api/auth_facts.h"

namespace sallyport::policies {

class MailSealer {
 public:
  virtual ~MailSealer() = default;

  struct Request {
    const mail::HeaderSection& header;  // as it leaves, with the ARC fields that came
    const mail::Message& message;       // whose body leaves
    const ArcFacts& arc;                // what was found of the chain
    const mail::AuthResults& results;   // what we say of the mail as it came
    WallTime now;
  };
  // Whole fields to put on top of the header; nothing when the mail may not be sealed, or its body cannot be read.
  virtual std::optional<std::string> seal(const Request& request) const = 0;
};

}  // namespace sallyport::policies
