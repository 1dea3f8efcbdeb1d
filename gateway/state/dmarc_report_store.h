// What the DMARC aggregate reports (RFC 9990) will tell, in the embedded store: collected by the sessions, read by
// `sallyport dmarc report`.
//
// Equal mails of one UTC day are one row with a count. Bounded: rows older than `keep_days` are deleted when a day
// begins, and beyond `most_rows` no new row is made (counted as Fault::state); known ones still count on.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/io/report_sink.h"
#include "gateway/state/store.h"

namespace sallyport::state {

// A day in UTC, in days since 1970-01-01.
using Day = std::int64_t;
Day day_of(WallTime time);

class DmarcReportStore final : public io::ReportSink {
 public:
  struct Options {
    Day keep_days = 30;
    std::int64_t most_rows = 1'000'000;  // some 300 octets each
  };
  // The counters outlive the store, and it outlives this; the destructor waits until nothing of this is queued there.
  DmarcReportStore(Store& store, Counters& counters, Options options);
  DmarcReportStore(Store& store, Counters& counters) : DmarcReportStore(store, counters, Options()) {}
  DmarcReportStore(const DmarcReportStore&) = delete;
  DmarcReportStore& operator=(const DmarcReportStore&) = delete;
  ~DmarcReportStore() override;

  void observed(io::DmarcObservation mail, WallTime at) noexcept override;

 private:
  Result<Done> write(Database& database, const io::DmarcObservation& mail, Day day);
  Result<Done> begin_day(Database& database, Day day);

  Store& store_;
  Counters& counters_;
  const Options options_;
  // The writer's.
  Day day_ = -1;
  std::int64_t rows_ = 0;  // at least as many as there are
};

// One report: what was collected under one record of a policy domain. A record that changed during the day makes two.
struct DmarcReportKey {
  std::string policy_domain;
  std::string record;
  std::string discovery;
};

// Those of a day, by policy domain.
Result<std::vector<DmarcReportKey>> dmarc_report_keys(Database& database, Day day);
// Gives each row of the report to `take`.
Result<Done> read_dmarc_rows(Database& database, Day day, const DmarcReportKey& key,
                             const std::function<void(io::DmarcReportRow)>& take);

// What has been sent to whom, so that nothing is sent twice.
Result<bool> dmarc_was_sent(Database& database, Day day, const std::string& report_id, const std::string& destination);
Result<Done> mark_dmarc_sent(Database& database, Day day, const std::string& report_id, const std::string& destination,
                             WallTime at);

}  // namespace sallyport::state
