// DmarcRows: a sink that adds a row to the DMARC aggregate reports of the author's domain for each mail (RFC 9990).
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "gateway/base/counters.h"
#include "gateway/io/report_sink.h"
#include "gateway/record/record_sink.h"

namespace sallyport::record {

// The row of a mail; nothing when no report must contain it:
// - the record is not about a mail;
// - there was no DMARC record that asks for reports, or no result;
// - the mail was put off or broken off, so that it will come again;
// - the mail is itself a report that passed DMARC: otherwise two receivers would report on each other's reports for
//   ever.
//
// The row's disposition is what the author's policy led to; what other checks decided is not in it.
std::optional<io::DmarcObservation> dmarc_observation(const MailRecord& record);

class DmarcRows final : public RecordSink {
 public:
  // Whether a tenant's mail is reported on, by the tenant's name.
  using IsReported = std::function<bool(std::string_view tenant)>;

  // The sink and the counters must outlive this object.
  DmarcRows(io::ReportSink& reports, Counters& counters, IsReported is_reported)
      : reports_(reports), counters_(counters), is_reported_(std::move(is_reported)) {}

  // A row that cannot be stored is counted as Fault::state.
  bool take(const MailRecord& record) noexcept override;

 private:
  io::ReportSink& reports_;
  Counters& counters_;
  IsReported is_reported_;
};

}  // namespace sallyport::record
