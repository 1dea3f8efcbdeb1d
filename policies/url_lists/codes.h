// Codes of lists of names: ranges as lists of addresses have them, and bits, of which one answer may have several.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/address.h"
#include "policies/lists/list_settings.h"

namespace sallyport::policies {

// "127.0.1.2", "127.0.1.2-127.0.1.99", or "&8": an answer 127.0.0.N, N having the bit 8 (SURBL, URIBL).
struct NameCode {
  ReplyRange range;
  unsigned bits = 0;  // of the last octet: all of these must be set; 0: the range alone decides

  bool has(const IpAddress& answer) const;
  friend bool operator==(const NameCode&, const NameCode&) = default;
};

struct NameCodeScore {
  NameCode code;
  double score = 0;
  friend bool operator==(const NameCodeScore&, const NameCodeScore&) = default;
};

// Nothing for a text that is neither, or could have no answer that is a hit (threats.md D8).
std::optional<NameCode> parse_name_code(std::string_view text);
std::string to_text(const NameCode& code);

}  // namespace sallyport::policies
