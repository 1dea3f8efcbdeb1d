// The DNS lists of a configuration, with what has been learned of each: what `sallyport lists` shows.
#pragma once

#include <string>
#include <vector>

#include "gateway/app/moment.h"
#include "gateway/base/histogram.h"
#include "gateway/base/units.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/control/lists.h"
#include "policies/lists/list_table.h"

namespace sallyport::app {

// In the order of their zones: first those asked for everybody, then the tenants' own. Any thread may call.
control::ListReports list_reports(const config::Settings& settings, const policies::ListTable& table,
                                  const Moment& moment);

// How long the questions to each list took; a name twice where several zones go by it. The histograms live as long as
// the table.
struct ListTimes {
  std::string list;
  const Histogram* times = nullptr;
};
std::vector<ListTimes> list_times(const config::Settings& settings, const policies::ListTable& table);

}  // namespace sallyport::app
