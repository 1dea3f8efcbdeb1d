// A report as a mail (RFC 9990, 3.5): its id, file name and subject, and the message with the compressed XML attached.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/units.h"

namespace sallyport::report {

// Identifies one report. The same domain, day and part always give the same names, so that a receiver recognises a
// report that is sent again.
struct ReportName {
  std::string receiver;  // our host name
  std::string policy_domain;
  std::string fingerprint;  // of receiver, domain and day; letters and digits
  std::int64_t begin = 0;   // seconds since 1970
  std::int64_t end = 0;
  unsigned part = 1;  // counts from 1; a report too large for one file has several parts
};

// The report id: a dot-atom, "@" and our host name.
std::string report_id(const ReportName& name);
// "mx1.example.com!example.org!1700006400!1700092799!3f2ap1.xml.gz"
std::string file_name(const ReportName& name);
std::string subject(const ReportName& name);

struct ReportMail {
  ReportName name;
  std::string from;   // an address with a dot-atom as local part
  std::string to;     // likewise
  std::string intro;  // a sentence or two for people: ASCII, lines end with LF, none begins with a dot
  std::string_view gzipped;
  WallTime date;
};

// The whole message: CRLF line ends, 7-bit, lines of at most 78 octets unless names are longer, no line beginning with
// a dot, so that it needs no dot-stuffing.
std::string make_report_mail(const ReportMail& mail);

}  // namespace sallyport::report
