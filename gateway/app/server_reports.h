// The servers of a configuration, with what is known of each: what `sallyport upstreams` shows.
#pragma once

#include "gateway/app/moment.h"
#include "gateway/base/units.h"
#include "gateway/control/upstreams.h"
#include "gateway/session/snapshot.h"

namespace sallyport::app {

// In the order of the upstreams' names and the configuration. `started`: since when a server is unknown that was never
// asked. Any thread may call.
control::ServerReports server_reports(const session::Snapshot& snapshot, const upstream::NameBook& names,
                                      const Moment& moment);

}  // namespace sallyport::app
