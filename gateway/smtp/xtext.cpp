#include "gateway/smtp/xtext.h"

#include "gateway/base/text.h"

namespace sallyport::smtp {
namespace {

// RFC 3461, 4: what stands for itself.
bool is_xchar(char c) { return text::is_printable(c) && c != ' ' && c != '+' && c != '='; }

}  // namespace

std::string to_xtext(std::string_view octets) {
  std::string xtext;
  xtext.reserve(octets.size());
  for (const char c : octets) {
    if (is_xchar(c)) {
      xtext += c;
    } else {
      xtext += '+';
      xtext += text::to_upper(text::to_hex({&c, 1}));
    }
  }
  return xtext;
}

std::optional<std::string> from_xtext(std::string_view xtext) {
  std::string octets;
  octets.reserve(xtext.size());
  while (!xtext.empty()) {
    if (is_xchar(xtext.front())) {
      octets += xtext.front();
      xtext.remove_prefix(1);
      continue;
    }
    constexpr std::size_t escape = 3;
    if (xtext.front() != '+' || xtext.size() < escape) return std::nullopt;
    const auto octet = text::from_hex(xtext.substr(1, 2));
    if (!octet) return std::nullopt;
    octets += *octet;
    xtext.remove_prefix(escape);
  }
  return octets;
}

}  // namespace sallyport::smtp
