#include "policies/dnsbl/settings.h"

#include "policies/api/policy_defaults.h"

namespace sallyport::policies {

namespace {

Result<ReplyRange> read_reply_range(std::string_view text, const settings::Reading& reading) {
  if (auto range = parse_reply_range(text)) return *range;
  // threats.md D8: codes outside 127/8, and those that lists use for errors, are never a hit.
  if (IpAddress::parse(text.substr(0, text.find('-'))))
    return Failure{settings::quote(text) +
                   " holds no answer that may count as a hit: those are in 127.0.0.2-127.255.254.255"};
  return reading.wrong(text);
}

std::string reply_range_text(const ReplyRange& range) {
  if (range.first == range.last) return range.first.to_string();
  return range.first.to_string() + "-" + range.last.to_string();
}

constexpr auto reply_ranges = settings::list_type<ReplyRange, read_reply_range, reply_range_text>(
    "list of reply ranges", R"(a list of replies like ["127.0.0.2", "127.0.0.4-127.0.0.11"])",
    R"({"type": "array", "items": {"type": "string", "minLength": 1}})");

using settings::row;
using settings::scores;

constexpr settings::Row rows[] = {
    mode_row<&DnsblSettings::mode>("How the DNS lists take part."),
    row<&DnsblSettings::reject_at>(
        "reject_at", "The sum of the lists' scores at which recipients are refused with 550 5.7.1.", scores),
    row<&DnsblSettings::score>("score", "What a hit on a list adds that has no score of its own.", scores),
    row<&DnsblSettings::skip>("skip", "Clients that are not looked up."),
    row<&DnsblSettings::zones, &DnsblZone::score>(
        "zones.*.score", "What a hit adds; negative for a list of good clients.",
        {.least = "-1000", .most = "1000", .falls_back_to = {"policy.dnsbl.score"}}),
    row<&DnsblSettings::zones, &DnsblZone::reply>("zones.*.reply", reply_ranges, "The answers that are a hit.",
                                                  {.least = "1"}),
    row<&DnsblSettings::zones, &DnsblZone::self_test>(
        "zones.*.self_test",
        "Whether the list is asked for its test points (RFC 5782), and left out while they are wrong."),
};

constexpr settings::Collection collections[] = {
    {"zones.*", settings::NameRule::domain, "A DNS list (RFC 5782)."},
};

}  // namespace

constinit const settings::SectionOf<DnsblSettings> dnsbl_section{"policy.dnsbl", rows, collections};

bool is_list_error(const IpAddress& code) {
  static const IpNetwork loopback = IpNetwork::of(IpAddress::v4({127, 0, 0, 0}), 8);
  static const IpNetwork error_codes = IpNetwork::of(IpAddress::v4({127, 255, 255, 0}), 24);
  return !loopback.contains(code) || error_codes.contains(code) || code == IpAddress::v4({127, 0, 0, 1});
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
