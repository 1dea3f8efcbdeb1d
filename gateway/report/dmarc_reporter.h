// Makes the DMARC aggregate reports of one day and sends each to those who asked for it (RFC 9990).
//
// There is one report for a policy domain and a day, and it goes to an address once. That is marked in the state
// database before it is sent, so that two runs at the same time, or one that breaks off, never send it twice. What was
// not sent for sure is tried again the next time, under the same names.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/public_suffix.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/io/clock.h"
#include "gateway/io/resolver.h"
#include "gateway/report/aggregate_xml.h"
#include "gateway/report/destination.h"
#include "gateway/report/report_mail.h"
#include "gateway/report/report_signer.h"
#include "gateway/state/dmarc_report_store.h"
#include "gateway/upstream/pool.h"
#include "policies/dmarc/settings.h"

namespace sallyport::report {

class DmarcReporter {
 public:
  // What it works with; all of it outlives it.
  struct Parts {
    const config::Settings& settings;
    const policies::DmarcSettings& dmarc;  // reporting_settings() of these
    state::Database& database;
    async::Scheduler& scheduler;
    const io::Clock& clock;
    io::Resolver& resolver;
    Counters& counters;
    Log& log;
    const PublicSuffixList& suffixes;
    upstream::UpstreamPool& pool;
    const upstream::UpstreamGroup& upstream;
    const ReportSigner* signer;  // null: reports are not signed
  };
  struct Outcome {
    unsigned reports = 0;  // of them there is one for each policy domain
    unsigned sent = 0;     // mails
    unsigned before = 0;   // that had been sent earlier
    unsigned unknown = 0;  // that may have been taken or not: they are not sent again
    unsigned refused = 0;  // addresses that may not or can not get any
    unsigned failed = 0;   // to be tried again
  };

  // In a dry run nothing is sent and nothing is marked as sent. What happens is written to `out`, one paragraph for
  // each report.
  DmarcReporter(Parts parts, state::Day day, bool dry_run, std::ostream& out)
      : parts_(parts), day_(day), dry_run_(dry_run), out_(out) {}

  // Makes and sends all reports of the day. The error is one of the database.
  Task<Result<Outcome>> run();

 private:
  struct File {
    report::ReportName name;
    std::string gzipped;
    std::uint64_t rows = 0;
    std::uint64_t mails = 0;
  };

  Result<std::vector<File>> make_files(const state::DmarcReportKey& key) const;
  Task<Result<Done>> report_on(const state::DmarcReportKey& key);
  Task<report::Destination> find_destination(const std::string& policy_domain, const std::string& uri);
  Task<std::optional<std::string>> organization_of(std::string domain);
  Task<Result<Done>> send_files(const std::vector<File>& files, std::string address);

  Parts parts_;
  state::Day day_;
  bool dry_run_;
  std::ostream& out_;
  Outcome outcome_;
};

// "2026-11-22".
std::string day_text(state::Day day);
// Nothing when it is no such day.
std::optional<state::Day> parse_day(std::string_view text);

}  // namespace sallyport::report
