// DmarcReportStore: the data for the DMARC aggregate reports (RFC 9990), in the embedded store: collected by the
// sessions, read by `sallyport dmarc report`.
//
// Equal mails of one UTC day are one row with a count. Bounded: rows older than `keep_days` are deleted when a day
// begins, unless the clock is suspect (clock_trust.h); beyond `most_rows`, or `most_octets` of text in them, no new row
// is added (counted as Fault::state), but existing rows still count.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/io/report_sink.h"
#include "gateway/state/clock_trust.h"
#include "gateway/state/rate_table.h"
#include "gateway/state/store.h"

namespace sallyport::state {

// A UTC day, in days since 1970-01-01.
using Day = std::int64_t;
Day day_of(WallTime time);

class DmarcReportStore final : public io::ReportSink {
 public:
  struct Options {
    Day keep_days = 30;
    std::int64_t most_rows = 1'000'000;            // about 300 octets each
    std::int64_t most_octets = 256 * 1024 * 1024;  // their owners choose how long their records are
    std::function<Time()> steady = steady_now;
  };
  // The counters must outlive the store, and the store must outlive this object. The destructor waits until the store
  // has run everything this object submitted.
  DmarcReportStore(Store& store, Counters& counters, Options options);
  DmarcReportStore(Store& store, Counters& counters) : DmarcReportStore(store, counters, Options()) {}
  DmarcReportStore(const DmarcReportStore&) = delete;
  DmarcReportStore& operator=(const DmarcReportStore&) = delete;
  ~DmarcReportStore() override;

  void observed(io::DmarcObservation mail, WallTime at) noexcept override;

 private:
  Result<Done> write(Database& database, const io::DmarcObservation& mail, WallTime at);
  Result<Done> expire(Database& database, Day day);
  Result<Done> measure(Database& database);
  bool fits_what_was_found(WallTime at) const;

  Store& store_;
  Counters& counters_;
  const Options options_;
  // Used on the store's writer thread only.
  ClockTrust clock_;
  // What the table had before this process.
  struct Found {
    bool is_empty = true;
    WallTime last_seen;
    Day first_day = 0;
  };
  std::optional<Found> found_;
  Day expired_on_ = -1;      // the day on which old rows were deleted last
  std::int64_t rows_ = 0;    // upper bound of the number of rows
  std::int64_t octets_ = 0;  // and of those of their text
};

// Identifies one report: that of a policy domain. `record` and `discovery` are those that were seen last: a report
// gives one policy, also of a day on which it changed.
struct DmarcReportKey {
  std::string policy_domain;
  std::string record;
  std::string discovery;
};

// All reports of a day, sorted by policy domain.
Result<std::vector<DmarcReportKey>> dmarc_report_keys(Database& database, Day day);
// Calls `take` with each row of the report, whichever record of the day it was counted under.
Result<Done> read_dmarc_rows(Database& database, Day day, const DmarcReportKey& key,
                             const std::function<void(io::DmarcReportRow)>& take);

// Remember which reports have been sent to which destination, so that nothing is sent twice.
Result<bool> dmarc_was_sent(Database& database, Day day, const std::string& report_id, const std::string& destination);
// To be called before sending: marks the report as sent. True: it was so before, perhaps by a run that still goes on or
// broke off; it must not be sent.
Result<bool> claim_dmarc_report(Database& database, Day day, const std::string& report_id,
                                const std::string& destination, WallTime at);
// Takes the mark away, when it is certain that the report was not sent.
Result<Done> release_dmarc_report(Database& database, Day day, const std::string& report_id,
                                  const std::string& destination);

}  // namespace sallyport::state
