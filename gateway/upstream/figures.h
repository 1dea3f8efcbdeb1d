// UpstreamFigures: how long the servers of one upstream take, for the metrics. Any thread may add and read.
#pragma once

#include "gateway/base/histogram.h"

namespace sallyport::upstream {

struct UpstreamFigures {
  Histogram connect;      // until a connection is there with its EHLO reply, or is given up
  Histogram reply;        // to MAIL or RCPT
  Histogram final_reply;  // to the end of the content
};

}  // namespace sallyport::upstream
