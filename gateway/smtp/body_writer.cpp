#include "gateway/smtp/body_writer.h"

#include <cstddef>

#include "gateway/base/ensure.h"
#include "gateway/smtp/octets.h"

namespace sallyport::smtp {

void BodyWriter::frame(std::string_view content, std::vector<std::string_view>& parts) {
  if (content.empty()) return;
  ensure((content.front() == '\n') == after_cr_ && has_only_crlf_inside(content), "BodyWriter: bare CR or LF");
  ensure(!has_nul(content), "BodyWriter: NUL");

  std::string_view rest = content;
  const bool begins_with_line_dot = at_line_start_ && rest.front() == '.';
  std::size_t dot = begins_with_line_dot ? 0 : find_line_dot(rest);
  while (dot != std::string_view::npos) {
    if (dot != 0) parts.push_back(rest.substr(0, dot));
    parts.push_back(".");
    rest.remove_prefix(dot);
    dot = find_line_dot(rest);
  }
  parts.push_back(rest);
  at_line_start_ = content.back() == '\n';
  after_cr_ = content.back() == '\r';
}

std::string_view BodyWriter::end() const {
  ensure(!after_cr_, "BodyWriter: content ends with a bare CR");
  return at_line_start_ ? ".\r\n" : "\r\n.\r\n";
}

std::string bdat_line(std::uint64_t octets, bool last) {
  return "BDAT " + std::to_string(octets) + (last ? " LAST\r\n" : "\r\n");
}

}  // namespace sallyport::smtp
