// Hands a mail of our own to an upstream (reports): what the gateway relays goes through upstream/delivery instead.
#pragma once

#include <string>

#include "gateway/async/task.h"
#include "gateway/base/result.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/upstream/pool.h"

namespace sallyport::report {

struct OutgoingMail {
  std::string from;  // addresses without <>
  std::string to;
  std::string message;  // 7-bit, CRLF line ends, no line that begins with a dot
};

struct SentMail {
  enum class Outcome {
    sent,      // the server has taken it
    not_sent,  // and may be sent again
    unknown,   // the connection broke when the content was on its way: the server may have it or not
  };
  Outcome outcome = Outcome::not_sent;
  std::string why;  // if it was not sent: the server's words, or what kept it from being asked
};

// The others outlive the task.
Task<SentMail> send_mail(OutgoingMail mail, upstream::UpstreamPool& pool, const upstream::UpstreamGroup& group,
                         const config::TimeoutSettings& timeouts, async::Scheduler& scheduler);

}  // namespace sallyport::report
