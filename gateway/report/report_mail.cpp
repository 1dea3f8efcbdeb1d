#include "gateway/report/report_mail.h"

#include "gateway/base/base64.h"
#include "gateway/base/ensure.h"

namespace sallyport::report {

namespace {

constexpr std::size_t base64_line = 76;

void field(std::string& mail, std::string_view name, std::string_view value) {
  mail.append(name).append(": ").append(value).append("\r\n");
}

// Distinguishes the reports of one domain and day: letters and digits only (RFC 9990, 3.5).
std::string unique_id(const ReportName& name) { return name.fingerprint + "p" + std::to_string(name.part); }

std::string as_lines(std::string_view encoded) {
  std::string lines;
  lines.reserve(encoded.size() + encoded.size() / base64_line * 2 + 2);
  for (std::size_t at = 0; at < encoded.size(); at += base64_line)
    lines.append(encoded.substr(at, base64_line)).append("\r\n");
  return lines;
}

std::string with_crlf(std::string_view text) {
  std::string lines;
  for (const char c : text) lines.append(c == '\n' ? "\r\n" : std::string(1, c));
  return lines;
}

}  // namespace

std::string report_id(const ReportName& name) {
  return name.policy_domain + "." + std::to_string(name.begin) + "." + unique_id(name) + "@" + name.receiver;
}

std::string file_name(const ReportName& name) {
  return name.receiver + "!" + name.policy_domain + "!" + std::to_string(name.begin) + "!" + std::to_string(name.end) +
         "!" + unique_id(name) + ".xml.gz";
}

// Folded only between words, since none of them can be broken.
std::string subject(const ReportName& name) {
  return "Report Domain: " + name.policy_domain + "\r\n Submitter: " + name.receiver + "\r\n Report-ID: <" +
         report_id(name) + ">";
}

std::string make_report_mail(const ReportMail& mail) {
  const std::string id = report_id(mail.name);
  // Cannot occur in the parts: "=_" does not occur in base64, and the intro is our own text.
  const std::string boundary = "=_report_" + unique_id(mail.name);
  std::string text;
  field(text, "From", "<" + mail.from + ">");
  field(text, "To", "<" + mail.to + ">");
  field(text, "Subject", subject(mail.name));
  field(text, "Date", mail_date(mail.date));
  field(text, "Message-ID", "<" + id + ">");
  field(text, "Auto-Submitted", "auto-generated");
  field(text, "MIME-Version", "1.0");
  field(text, "Content-Type", "multipart/mixed;\r\n boundary=\"" + boundary + "\"");
  text += "\r\n--" + boundary + "\r\n";
  field(text, "Content-Type", "text/plain; charset=us-ascii");
  text += "\r\n" + with_crlf(mail.intro) + "\r\n--" + boundary + "\r\n";
  field(text, "Content-Type", "application/gzip");
  field(text, "Content-Transfer-Encoding", "base64");
  field(text, "Content-Disposition", "attachment;\r\n filename=\"" + file_name(mail.name) + "\"");
  text += "\r\n" + as_lines(to_base64(mail.gzipped)) + "\r\n--" + boundary + "--\r\n";
  ensure(text.find("\r\n.") == std::string::npos, "report mail: a line that begins with a dot");
  return text;
}

}  // namespace sallyport::report
