#include "policies/dnsbl/settings.h"

#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "policies/api/policy_defaults.h"
#include "policies/dnsbl/list_name.h"
#include "policies/dnsbl/list_text.h"

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

// Adds one entry of `codes`; false when it is wrong.
bool read_code(const settings::Member& member, const settings::Reading& reading, std::vector<CodeScore>& codes) {
  const Result<ReplyRange> range = read_reply_range(member.key, reading);
  if (!range) {
    reading.errors.push_back({member.at, range.error().message});
    return false;
  }
  const bool is_known =
      std::any_of(codes.begin(), codes.end(), [&range](const CodeScore& known) { return known.codes == *range; });
  if (is_known) {
    reading.errors.push_back({member.at, settings::quote(member.key) + " is named twice"});
    return false;
  }
  const settings::Node& score = member.value;
  const bool is_number = score.kind == settings::Node::Kind::number || score.kind == settings::Node::Kind::integer;
  if (!is_number) {
    return reading.fail(score, "expected the score of " + settings::quote(member.key) + ", a number, not " +
                                   std::string(settings::describe(score.kind)));
  }
  if (!(score.number >= -1000 && score.number <= 1000)) {
    return reading.fail(score, "the score of " + settings::quote(member.key) + " is out of range: -1000 to 1000");
  }
  codes.push_back({*range, score.number});
  return true;
}

bool read_codes(const settings::Node& node, const settings::Reading& reading, void* value) {
  if (node.kind != settings::Node::Kind::table) return reading.mismatch(node);
  std::vector<CodeScore> codes;
  bool good = true;
  for (const settings::Member& member : node.members) good = read_code(member, reading, codes) && good;
  return good && settings::give(std::move(codes), value);
}

std::string codes_to_toml(const void* value) {
  std::string text;
  for (const CodeScore& one : *static_cast<const std::vector<CodeScore>*>(value)) {
    text += text.empty() ? "{ " : ", ";
    text += settings::quote(reply_range_text(one.codes)) + " = " + settings::type::number.to_toml(&one.score);
  }
  return text.empty() ? "{}" : text + " }";
}

constexpr settings::TypeOf<std::vector<CodeScore>> code_scores{
    {"scores by code",
     settings::Form::other,
     R"(a table of scores by reply like { "127.0.0.2-127.0.0.3" = 8.0, "127.0.0.10" = 3.0 })",
     {},
     R"({"type": "object", "additionalProperties": {"type": "number", "minimum": -1000, "maximum": 1000}})",
     read_codes,
     codes_to_toml}};

Result<std::string> read_list_name(std::string_view name, const settings::Reading& reading) {
  const bool fits = !name.empty() && name.size() <= max_list_name && std::all_of(name.begin(), name.end(), [](char c) {
    return text::is_alnum(c) || c == '.' || c == '-' || c == '_';
  });
  if (fits) return std::string(name);
  return reading.wrong(name);
}

Result<std::string> read_list_text(std::string_view text, const settings::Reading&) {
  if (auto wrong = objection_to_list_text(text)) return Failure{std::move(*wrong)};
  return std::string(text);
}

std::string same_text(const std::string& text) { return text; }

constexpr auto list_name = settings::text_type<std::string, read_list_name, same_text>(
    "name of a list", R"(a name of letters, digits, ".", "-" and "_", 63 at most)",
    R"({"type": "string", "pattern": "^[A-Za-z0-9._-]{0,63}$"})");
constexpr auto list_text = settings::text_type<std::string, read_list_text, same_text>(
    "text of a reply", R"(a text like "Listed by {list}, see https://example.net/?ip={ip}")",
    R"({"type": "string", "maxLength": 300})");

// True and false were the only values once.
bool read_self_test(const settings::Node& node, const settings::Reading& reading, void* value) {
  if (node.kind == settings::Node::Kind::boolean) {
    return settings::give(node.boolean ? SelfTest::on : SelfTest::off, value);
  }
  return settings::word_type<SelfTest>.read(node, reading, value);
}

constexpr settings::TypeOf<SelfTest> self_test{
    {"word", settings::Form::text, {}, words_of<SelfTest>, {}, read_self_test, [](const void* value) {
       return settings::quote(word(*static_cast<const SelfTest*>(value)));
     }}};

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
    row<&DnsblSettings::zones, &DnsblZone::codes>(
        "zones.*.codes", code_scores, "What a hit adds, by the answer; stands for the list's score and reply."),
    row<&DnsblSettings::zones, &DnsblZone::name>(
        "zones.*.name", list_name,
        "How the list is called in replies, headers and the log; empty for the zone without what may be a key."),
    row<&DnsblSettings::zones, &DnsblZone::text>(
        "zones.*.text", list_text,
        "The text of the 550, with {list}, {ip} and {domain} (of the sender); empty for \"Listed by {list}\"."),
    row<&DnsblSettings::zones, &DnsblZone::self_test>(
        "zones.*.self_test", self_test,
        "Whether the list is left out while its test points (RFC 5782) are wrong: both of them (on), or only if "
        "127.0.0.1 is listed or 127.0.0.2 no longer is (auto)."),
};

constexpr settings::Collection collections[] = {
    {"zones.*", settings::NameRule::domain, "A DNS list (RFC 5782)."},
};

}  // namespace

constinit const settings::SectionOf<DnsblSettings> dnsbl_section{"policy.dnsbl", rows, collections};

std::vector<ReplyRange> DnsblZone::hits() const {
  if (codes.empty()) return reply;
  std::vector<ReplyRange> ranges;
  ranges.reserve(codes.size());
  for (const CodeScore& one : codes) ranges.push_back(one.codes);
  return ranges;
}

double DnsblZone::score_of(const std::vector<std::string>& found, double without_score) const {
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
