// AggregateXml: a DMARC aggregate report as XML (RFC 9990, 3.1 and appendix A).
//
// Values from outside (domains, selectors, comments) appear as text only: markup is escaped; invalid UTF-8, and
// characters that XML cannot represent, become U+FFFD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/io/report_sink.h"

namespace sallyport::report {

struct ReportMetadata {
  std::string organization;
  std::string email;
  std::string contact;    // extra_contact_info; empty: left out
  std::string report_id;  // see report_mail.h
  std::string generator;
  std::int64_t begin = 0;  // seconds since 1970; begin and end are inclusive
  std::int64_t end = 0;
};

// The DMARC record as it applied, in the words of the record.
struct PublishedPolicy {
  std::string domain;
  std::string discovery;  // "treewalk" or "psl"
  std::string policy;
  std::optional<std::string> subdomain_policy;
  std::optional<std::string> nonexistent_policy;
  std::string failure_options;  // fo; empty: left out
  bool strict_dkim = false;
  bool strict_spf = false;
  bool testing = false;
};

// Builds one report, row by row, until add() returns false; the caller then begins another report.
class AggregateXml {
 public:
  // Limit for the finished XML. Compressed it is smaller, and below the usual limit of receivers (10 MB).
  static constexpr std::size_t most_octets = 10'000'000;

  AggregateXml(const ReportMetadata& metadata, const PublishedPolicy& policy, std::size_t most = most_octets);

  // Returns false and adds nothing if the report would become too large. The first row always fits.
  bool add(const io::DmarcReportRow& row);
  std::uint64_t rows() const { return rows_; }
  std::uint64_t mails() const { return mails_; }

  // Gives the whole document. Nothing may be added afterwards.
  std::string finish();

 private:
  std::string xml_;
  std::size_t most_;
  std::uint64_t rows_ = 0;
  std::uint64_t mails_ = 0;
};

// Escapes text for use between two tags.
std::string escape_xml(std::string_view text);

}  // namespace sallyport::report
