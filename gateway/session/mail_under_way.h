// MailUnderWay: what is known of one mail, whoever hears of it: a Session from its client, or the milter server from an
// MTA. Both make it at MAIL, and destroy it with the mail (threats.md I4).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gateway/base/held_octets.h"
#include "gateway/record/mail_record.h"
#include "gateway/session/content_intake.h"
#include "gateway/session/host.h"

namespace sallyport::session {

struct MailUnderWay {
  explicit MailUnderWay(Counters& counters) : held(counters) {}

  // Where the mail stands.
  policies::Stage stage() const;

  // The configuration that this mail goes by; first, because what a session adds uses it.
  std::shared_ptr<const WorkerSnapshot> snapshot;
  policies::Transaction transaction;  // as policies see it
  // The tenant whose mail it is: that of the first recipient that is one's. Null before.
  const checks::Plan* plan = nullptr;
  // The tenant of the recipient that is being decided; null: it is nobody's.
  const checks::Plan* recipient_plan = nullptr;
  std::uint64_t recipients_offered = 0;
  std::unique_ptr<mail::Message> message;
  std::unique_ptr<ContentIntake> intake;
  HeldOctets held;  // by the message
  Time began{};

  // The last thing that was said about this mail, acceptances of recipients aside, and why. Nothing: there is nothing
  // to tell yet.
  std::optional<record::Decision> decision;
  // What was found and said of the recipient whose refusal is `decision`: checks forget it. Nothing: another decision.
  struct OfRefused {
    policies::Facts facts;
    std::vector<policies::Verdict> verdicts;
  };
  std::optional<OfRefused> of_refused;
};

}  // namespace sallyport::session
