// Hands a mail of our own to an upstream (reports): what the gateway relays goes through session/delivery instead.
#pragma once

#include <string>

#include "gateway/async/task.h"
#include "gateway/base/result.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/session/upstream_pool.h"

namespace sallyport::app {

struct OutgoingMail {
  std::string from;  // addresses without <>
  std::string to;
  std::string message;  // 7-bit, CRLF line ends, no line that begins with a dot
};

// Done when the server has taken the mail. A Failure names the server's words, or what kept it from being asked; the
// mail may then be sent again. The others outlive the task.
Task<Result<Done>> send_mail(OutgoingMail mail, session::UpstreamPool& pool, session::UpstreamGroup& group,
                             const config::TimeoutSettings& timeouts, async::Scheduler& scheduler);

}  // namespace sallyport::app
