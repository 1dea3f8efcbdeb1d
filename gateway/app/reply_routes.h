// Says in the log which servers with client_info = "tproxy" cannot answer to clients' addresses, as this host's routing
// stands (gateway/cli/reply_route.h), and what mends it: a line for each (event=fault kind=client_info).
#pragma once

#include "gateway/app/common_parts.h"
#include "gateway/session/snapshot.h"

namespace sallyport::app {

void report_missing_routes(const session::Snapshot& snapshot, CommonParts& common);

}  // namespace sallyport::app
