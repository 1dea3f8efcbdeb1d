// Runs the gateway's own session on one stored message, with the real checks and the configured DNS servers; on wish
// with the configured milters, which cannot tell it from a mail. Nothing else outside the process is touched: the
// client and the upstream are streams in memory, the upstream accepts everything and stores nothing, no rate is
// counted, and nothing is logged.
#pragma once

#include <cstdint>

#include "gateway/base/result.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/explain/explanation.h"

namespace sallyport::explain {

// Runs the message through the session as if it came in by the first listener. Blocks the calling thread, on a loop of
// its own, as long as the look-ups of the checks take (timeouts.policy); only the command line calls it. The error is
// text about a policy that cannot be prepared, such as a rule file that does not load.
enum class Milters : std::uint8_t { not_asked, asked };
Result<Explanation> dry_run(const config::Settings& settings, Envelope envelope, StoredMessage message,
                            Milters milters = Milters::not_asked);

}  // namespace sallyport::explain
