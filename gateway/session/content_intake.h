// Takes decoded content as it streams in: into the message, and past the observers.
//
// When the header section is complete the policies are asked for observers, and from there on each sees the body's
// octets as they will be sent (architecture, section 5).
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "gateway/mail/message.h"
#include "gateway/smtp/content_sink.h"
#include "policies/api/policy.h"

namespace sallyport::session {

class ContentIntake : public smtp::ContentSink {
 public:
  using Observers = std::vector<std::unique_ptr<policies::BodyObserver>>;

  // `ask_for_observers` is called once, when the header section is complete and parsed.
  ContentIntake(mail::Message& message, std::function<Observers()> ask_for_observers)
      : message_(message), ask_for_observers_(std::move(ask_for_observers)) {}

  void append(std::string_view octets) override;
  // The end of the content: parses a header section that no empty line ended, and lets the observers finish.
  void end(policies::Facts& facts);

 private:
  void header_completed();

  mail::Message& message_;
  std::function<Observers()> ask_for_observers_;
  Observers observers_;
  bool header_seen_ = false;
};

}  // namespace sallyport::session
