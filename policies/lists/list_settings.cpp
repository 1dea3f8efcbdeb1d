#include "policies/lists/list_settings.h"

namespace sallyport::policies {

std::vector<ReplyRange> ListSettings::hits() const {
  if (codes.empty()) return reply;
  std::vector<ReplyRange> ranges;
  ranges.reserve(codes.size());
  for (const CodeScore& one : codes) ranges.push_back(one.codes);
  return ranges;
}

double ListSettings::score_of(const std::vector<std::string>& found, double without_score) const {
  if (codes.empty()) return score.value_or(without_score);
  std::vector<bool> counts(codes.size());
  for (const std::string& address : found) {
    const auto code = IpAddress::parse(address);
    if (!code) continue;
    std::optional<std::size_t> narrowest;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (!codes[i].codes.contains(*code)) continue;
      if (!narrowest || codes[i].codes.size() < codes[*narrowest].codes.size()) narrowest = i;
    }
    if (narrowest) counts[*narrowest] = true;
  }
  double sum = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) sum += counts[i] ? codes[i].score : 0;
  return sum;
}

bool is_refusal(const IpAddress& code) {
  static const IpNetwork refusals = IpNetwork::of(IpAddress::v4({127, 255, 255, 0}), 24);
  return refusals.contains(code);
}

bool is_list_error(const IpAddress& code) {
  static const IpNetwork loopback = IpNetwork::of(IpAddress::v4({127, 0, 0, 0}), 8);
  return !loopback.contains(code) || is_refusal(code) || code == IpAddress::v4({127, 0, 0, 1});
}

bool ReplyRange::contains(const IpAddress& answer) const {
  if (!answer.is_v4()) return false;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto octet = static_cast<unsigned char>(answer.octets()[i]);
    if (octet < static_cast<unsigned char>(first.octets()[i])) return false;
    if (octet > static_cast<unsigned char>(last.octets()[i])) return false;
  }
  return true;
}

std::uint64_t ReplyRange::size() const {
  std::uint64_t size = 1;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto low = static_cast<unsigned char>(first.octets()[i]);
    const auto high = static_cast<unsigned char>(last.octets()[i]);
    size *= std::uint64_t{high} - low + 1;
  }
  return size;
}

std::optional<ReplyRange> parse_reply_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = IpAddress::parse(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : IpAddress::parse(text.substr(dash + 1));
  if (!first || !last || !first->is_v4() || !last->is_v4()) return std::nullopt;
  const ReplyRange range{*first, *last};
  if (first->octets()[0] != 127 || last->octets()[0] != 127) return std::nullopt;
  if (!range.contains(*first) || !range.contains(*last)) return std::nullopt;
  // The error codes are one address and one block. So a range whose two ends are both errors contains other codes only
  // when it reaches from the address to the block.
  const bool ends_are_errors = is_list_error(*first) && is_list_error(*last);
  if (ends_are_errors && (*first == *last || first->octets()[1] != 0)) return std::nullopt;
  return range;
}

}  // namespace sallyport::policies
