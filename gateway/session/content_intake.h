// ContentIntake: takes decoded content as it streams in, into the message, and the body's octets past the checks.
//
// When the header section is complete, the checks say which digests of the body they need and which of them want to see
// it; from there on they get each octet as it will be sent upstream (architecture, section 5).
#pragma once

#include <string_view>

#include "gateway/checks/checks.h"
#include "gateway/mail/message.h"
#include "gateway/smtp/content_sink.h"

namespace sallyport::session {

class ContentIntake final : public smtp::ContentSink {
 public:
  // All three outlive it. `mail` is the transaction whose message this is.
  ContentIntake(mail::Message& message, checks::Checks& checks, const policies::Transaction& mail)
      : message_(message), checks_(checks), mail_(mail) {}

  void append(std::string_view octets) override;
  // The end of the content: parses a header section that no empty line ended, and ends the body for the checks.
  void end();

 private:
  void header_completed();

  mail::Message& message_;
  checks::Checks& checks_;
  const policies::Transaction& mail_;
  bool header_seen_ = false;
};

}  // namespace sallyport::session
