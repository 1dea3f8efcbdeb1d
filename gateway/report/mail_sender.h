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

// Done when the server has taken the mail. A Failure names the server's words, or what kept it from being asked; the
// mail may then be sent again. The others outlive the task.
Task<Result<Done>> send_mail(OutgoingMail mail, upstream::UpstreamPool& pool, const upstream::UpstreamGroup& group,
                             const config::TimeoutSettings& timeouts, async::Scheduler& scheduler);

}  // namespace sallyport::report
