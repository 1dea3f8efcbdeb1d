// Which server a mail goes to (architecture.md, section 3): the servers of a group that may be asked, the best first.
#pragma once

#include <vector>

#include "gateway/upstream/channel.h"
#include "gateway/upstream/group.h"
#include "gateway/upstream/server.h"

namespace sallyport::upstream {

// A server that this mail did not go to, and the reason. The group keeps the server alive.
struct FailedServer {
  UpstreamServer* server;
  UpstreamError error;
  // It has answered that it takes no mail for now: that is no incident, and decides only if nobody else takes the mail.
  bool is_refusal = false;
  // It is the server that failed, not the transaction: it may be asked again when its breaker has closed.
  bool may_recover = false;
  bool is_forgiven = false;  // it is asked again
};

// Not among them: servers that are down, and those in `failed` that were not forgiven. In the order of the
// configuration (`failover`), or those with the fewest connections first, where a connection to a slow server counts
// for several (`least-sessions`). In either case servers that refuse mail for now come last, and `preferred`, which may
// be null, comes first.
std::vector<UpstreamServer*> candidates(const UpstreamGroup& group, const std::vector<FailedServer>& failed,
                                        const UpstreamServer* preferred, Time now);

// Lets those who could recover, and perhaps have, be asked again; true when there are any.
bool forgive(std::vector<FailedServer>& failed, Time now);

}  // namespace sallyport::upstream
