// A DMARC aggregate report as XML (RFC 9990, 3.1 and appendix A).
//
// What strangers chose (domains, selectors, comments) is text in it and nothing else: markup is escaped, octets that
// are no UTF-8, and characters XML cannot hold, become U+FFFD.
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
  std::int64_t begin = 0;  // seconds since 1970, both inclusive
  std::int64_t end = 0;
};

// The record as it applied, in the words of the record.
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

// Builds one report, row by row. Rows may be added until has_room() says no: then there is another report to begin.
class AggregateXml {
 public:
  // Of the finished XML; compressed it is smaller still, so that no receiver's limit is met (10 MB is usual).
  static constexpr std::size_t most_octets = 10'000'000;

  AggregateXml(const ReportMetadata& metadata, const PublishedPolicy& policy, std::size_t most = most_octets);

  // False, and nothing is added, when the report would become too large. The first row always has room.
  bool add(const io::DmarcReportRow& row);
  std::uint64_t rows() const { return rows_; }
  std::uint64_t mails() const { return mails_; }

  // The whole document. Nothing may be added afterwards.
  std::string finish();

 private:
  std::string xml_;
  std::size_t most_;
  std::uint64_t rows_ = 0;
  std::uint64_t mails_ = 0;
};

// As text between two tags.
std::string escape_xml(std::string_view text);

}  // namespace sallyport::report
