// The gateway's own session on one stored message, with real checks and the configured DNS, and nothing else of the
// world: the client is a dialogue in memory, the upstream one that accepts everything and keeps nothing, rates are
// written down instead of counted, and nothing is logged.
#pragma once

#include "gateway/app/explanation.h"
#include "gateway/base/result.h"
#include "gateway/config/gateway_settings.h"

namespace sallyport::app {

// The first listener is the one it comes through. Takes as long as the checks' look-ups take (timeouts.policy). An
// error is a rule that does not load, in words.
Result<Explanation> dry_run(const config::Settings& settings, Envelope envelope, StoredMessage message);

}  // namespace sallyport::app
