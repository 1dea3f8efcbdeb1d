#include "policies/url_lists/codes.h"

#include "gateway/base/text.h"

namespace sallyport::policies {

bool NameCode::has(const IpAddress& answer) const {
  if (is_list_error(answer) || !range.contains(answer)) return false;
  return (static_cast<unsigned char>(answer.octets()[3]) & bits) == bits;
}

std::optional<NameCode> parse_name_code(std::string_view text) {
  if (!text.starts_with('&')) {
    const auto range = parse_reply_range(text);
    if (!range) return std::nullopt;
    return NameCode{*range, 0};
  }
  constexpr std::uint64_t all_bits = 255;
  const auto bits = text::to_number(text::trim(text.substr(1)), all_bits);
  if (!bits || *bits == 0) return std::nullopt;
  return NameCode{{IpAddress::v4({127, 0, 0, 0}), IpAddress::v4({127, 0, 0, 255})}, static_cast<unsigned>(*bits)};
}

std::string to_text(const NameCode& code) {
  if (code.bits != 0) return "&" + std::to_string(code.bits);
  if (code.range.first == code.range.last) return code.range.first.to_string();
  return code.range.first.to_string() + "-" + code.range.last.to_string();
}

}  // namespace sallyport::policies
