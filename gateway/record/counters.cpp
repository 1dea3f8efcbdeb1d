#include "gateway/record/counters.h"

namespace sallyport::record {

namespace {

Total total_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::relay:
      return Total::relayed;
    case Outcome::tag:
    case Outcome::quarantine:  // relayed with a mark, as long as there is no quarantine
      return Total::tagged;
    case Outcome::discard:
      return Total::discarded;
    case Outcome::tempfail:
      return Total::tempfailed;
    case Outcome::drop:
      return Total::dropped;
    case Outcome::reject:
      break;
  }
  return Total::rejected;
}

}  // namespace

bool RecordCounters::take(const MailRecord& record) noexcept {
  switch (record.subject) {
    case Subject::transaction:
      counters_.add(total_of(record.outcome));
      if (timings_) timings_->add(Timing::mail, record.took);
      break;
    case Subject::recipient:
      counters_.add(Total::recipients_refused);
      break;
    case Subject::connection:
      counters_.add(Total::connections_refused);
      break;
  }
  return true;
}

}  // namespace sallyport::record
