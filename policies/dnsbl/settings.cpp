#include "policies/dnsbl/settings.h"

#include "policies/dnsbl/list_answer.h"

namespace sallyport::policies {

bool ReplyRange::contains(const IpAddress& answer) const {
  if (!answer.is_v4()) return false;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto octet = static_cast<unsigned char>(answer.octets()[i]);
    if (octet < static_cast<unsigned char>(first.octets()[i])) return false;
    if (octet > static_cast<unsigned char>(last.octets()[i])) return false;
  }
  return true;
}

std::optional<ReplyRange> parse_reply_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : IpAddress::parse(text.substr(dash + 1));
  if (!first || !last || !first->is_v4() || !last->is_v4()) return std::nullopt;
  const ReplyRange range{*first, *last};
  if (first->octets()[0] != 127 || last->octets()[0] != 127) return std::nullopt;
  if (!range.contains(*first) || !range.contains(*last)) return std::nullopt;
  // The codes for errors are one address and one block: a range whose ends both are errors holds others only from the
  // one to the other.
  const bool ends_are_errors = is_list_error(*first) && is_list_error(*last);
  if (ends_are_errors && (*first == *last || first->octets()[1] != 0)) return std::nullopt;
  return range;
}

}  // namespace sallyport::policies
