// A report as a mail (RFC 9990, 3.5): its names, and the message with the compressed XML attached.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/units.h"

namespace sallyport::report {

// What tells one report from all others. The same day, record and part give the same names again, so that a report that
// is sent once more is known as the same.
struct ReportName {
  std::string receiver;  // our host name
  std::string policy_domain;
  std::string fingerprint;  // of the record: letters and digits
  std::int64_t begin = 0;   // seconds since 1970
  std::int64_t end = 0;
  unsigned part = 1;  // from 1, where one file would be too large
};

// A dot-atom, "@" and our host name.
std::string report_id(const ReportName& name);
// "mx1.example.com!example.org!1700006400!1700092799!3f2a.1.xml.gz"
std::string file_name(const ReportName& name);
std::string subject(const ReportName& name);

struct ReportMail {
  ReportName name;
  std::string from;   // an address; of the plain kind
  std::string to;     // the same
  std::string intro;  // a sentence or two for people: plain ASCII, lines ended by LF, none beginning with a dot
  std::string_view gzipped;
  WallTime date;
};

// The message with CRLF line ends, 7-bit, no line longer than 78 octets but for long names, none beginning with a dot:
// it can be sent as it is.
std::string make_report_mail(const ReportMail& mail);

}  // namespace sallyport::report
