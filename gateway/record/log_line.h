// LogLine: a sink that writes the log's lines about mails, refused recipients and refused connections:
// event=transaction, event=recipient, event=connection (contract.md, section 6). No other code writes these events.
//
// A field that does not apply is empty. Fields that only a mail has, such as its size, are left out of the other lines.
// Beside the contract's fields a line may have `detail`, a failure in our own wording, and `shadow`, what checks in
// shadow mode would have done.
#pragma once

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/record/record_sink.h"

namespace sallyport::record {

class LogLine final : public RecordSink {
 public:
  // Both must outlive this object.
  LogLine(Log& log, Counters& counters) : log_(log), counters_(counters) {}

  // Never waits. False when the log refused the line, or memory for it was lacking (counted as Fault::log).
  bool take(const MailRecord& record) noexcept override;

 private:
  Log& log_;
  Counters& counters_;
};

}  // namespace sallyport::record
