// MemoryReports: keeps in memory what sessions report for DMARC, for tests to read.
#pragma once

#include <utility>
#include <vector>

#include "gateway/io/report_sink.h"

namespace sallyport::support {

class MemoryReports final : public io::ReportSink {
 public:
  void observed(io::DmarcObservation mail, WallTime at) noexcept override {
    mails.push_back(std::move(mail));
    times.push_back(at);
  }

  std::vector<io::DmarcObservation> mails;
  std::vector<WallTime> times;
};

}  // namespace sallyport::support
