// RecordCounters: a sink that counts the outcomes of mails, refused recipients and refused connections.
#pragma once

#include "gateway/base/counters.h"
#include "gateway/record/record_sink.h"

namespace sallyport::record {

class RecordCounters final : public RecordSink {
 public:
  // `counters` must outlive this object.
  explicit RecordCounters(Counters& counters) : counters_(counters) {}

  bool take(const MailRecord& record) noexcept override;

 private:
  Counters& counters_;
};

}  // namespace sallyport::record
