// Counters and histograms of one process compared and added up, series by series: how a process that sees its last
// sessions off tells what it still counts to the one that serves. Gauges say how things stand in their own process, and
// take no part.
#pragma once

#include "gateway/base/metric.h"

namespace sallyport {

// By how much each series has grown since `before`. What has not grown is left out.
Metrics growth(const Metrics& before, const Metrics& now);

// Adds each series of `more` to that of the same name and labels; one that is not there yet is appended.
void add_growth(Metrics& sums, const Metrics& more);

}  // namespace sallyport
