// RecordSink: receives the records of mails, recipients and connections (mail_record.h), to store or show them.
#pragma once

#include <algorithm>
#include <span>

#include "gateway/record/mail_record.h"

namespace sallyport::record {

class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // The session calls this on its loop's thread, once for each record. It must not wait. A sink that cannot store a
  // record counts that and returns false; the mail's outcome does not change (threats.md R6). Only for a discard the
  // result matters: its 2xx is the gateway's own, so the session sends it only when the record has been stored (I1).
  virtual bool take(const MailRecord& record) noexcept = 0;
};

// Tells the sinks, in their order. False: it is the record of a discard, and one of them cannot keep it. Those after it
// are not told then, because something else becomes of that mail.
inline bool tell(std::span<RecordSink* const> sinks, const MailRecord& record) {
  return std::all_of(sinks.begin(), sinks.end(), [&record](RecordSink* sink) {
    const bool is_kept = sink->take(record);
    return is_kept || record.outcome != Outcome::discard;
  });
}

}  // namespace sallyport::record
