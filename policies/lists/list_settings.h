// ListSettings: what a configuration says of one DNS list, whatever is listed there (contract.md, policy.dnsbl.zones),
// and the answers it may have.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/fields.h"

namespace sallyport {

namespace policies {

// A range of answers that count as a hit. Each octet of an answer must lie between those of `first` and `last`, both
// included, because some lists use several octets: "127.0.0.2-127.0.255.3" means 127.0.x.2 and 127.0.x.3.
struct ReplyRange {
  IpAddress first;
  IpAddress last;

  bool contains(const IpAddress& answer) const;
  std::uint64_t size() const;  // how many addresses it contains
  friend bool operator==(const ReplyRange&, const ReplyRange&) = default;
};

// Parses "127.0.0.2" or "127.0.0.2-127.0.0.11". Nothing when the text is neither, lies outside 127.0.0.0/8, or could
// only contain answers that are never a hit (127.0.0.1, 127.255.255.0/24; threats.md D8).
std::optional<ReplyRange> parse_reply_range(std::string_view text);

// True for the codes by which a list says that it does not serve our resolver, or had too many questions:
// 127.255.255.0/24.
bool is_refusal(const IpAddress& code);

// True for codes that are never a hit: 127.255.255.0/24 (the lists' own error codes), 127.0.0.1, and everything outside
// 127.0.0.0/8.
bool is_list_error(const IpAddress& code);

// What answers of one range add.
struct CodeScore {
  ReplyRange codes;
  double score = 0;

  friend bool operator==(const CodeScore&, const CodeScore&) = default;
};

// What the test points of a list (RFC 5782, 5) decide (threats.md D9).
enum class SelfTest : std::uint8_t {
  automatic,  // the list is left out while 127.0.0.1 is listed, or when 127.0.0.2 was listed once and is no more
  on,         // both points must be right
  off,
};

struct ListSettings {
  std::optional<double> score;  // negative for an allow list; nothing: the policy has one for such lists
  // The answers that are a hit; an empty list means this default.
  std::vector<ReplyRange> reply{{IpAddress::v4({127, 0, 0, 2}), IpAddress::v4({127, 0, 0, 254})}};
  std::vector<CodeScore> codes;  // when there are any, they stand for `score` and `reply`
  std::string name;              // how the list is called in public; empty: public_zone_name()
  std::string text;              // of the 550, with placeholders (list_text.h); empty: "Listed by {list}"
  SelfTest self_test = SelfTest::automatic;

  // The answers that are a hit: those of `codes`, else `reply`.
  std::vector<ReplyRange> hits() const;
  // What a hit with these codes adds. Of `codes` each code counts by the narrowest range that has it, and each range
  // once; without them it is `score`, or else `without_score`.
  double score_of(const std::vector<std::string>& found, double without_score) const;
};

}  // namespace policies

template <>
inline constexpr auto words_of<policies::SelfTest> = std::to_array<std::string_view>({"auto", "on", "off"});

}  // namespace sallyport
