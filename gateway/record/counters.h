// RecordCounters: a sink that counts the outcomes of mails, refused recipients and refused connections.
#pragma once

#include "gateway/base/counters.h"
#include "gateway/base/timings.h"
#include "gateway/record/record_sink.h"

namespace sallyport::record {

class RecordCounters final : public RecordSink {
 public:
  // Both must outlive this object. `timings` gets how long mails took.
  explicit RecordCounters(Counters& counters, Timings* timings = nullptr) : counters_(counters), timings_(timings) {}

  bool take(const MailRecord& record) noexcept override;

 private:
  Counters& counters_;
  Timings* const timings_;
};

}  // namespace sallyport::record
