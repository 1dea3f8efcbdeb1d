// The DNS lists of a configuration, with what has been learned of each: what `sallyport lists` shows.
#pragma once

#include "gateway/app/moment.h"
#include "gateway/base/units.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/control/lists.h"
#include "policies/lists/list_table.h"

namespace sallyport::app {

// In the order of their zones: first those asked for everybody, then the tenants' own. Any thread may call.
control::ListReports list_reports(const config::Settings& settings, const policies::ListTable& table,
                                  const Moment& moment);

}  // namespace sallyport::app
