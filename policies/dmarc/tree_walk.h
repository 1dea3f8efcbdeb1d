// The DNS tree walk (RFC 9989, 4.10): which names are asked for a DMARC record, and which organizational domain follows
// from the records that were found. Pure functions; lookup.h asks the DNS.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/dmarc/record.h"

namespace sallyport::policies {

inline constexpr std::size_t max_tree_walk_names = 8;

// The names of the walk that starts at `domain`, in order: itself, and those above it down to its top-level domain; of
// more than eight labels only the last seven below itself. Views into `domain`, without "_dmarc.".
std::vector<std::string_view> tree_walk_names(std::string_view domain);

// A record that was found on the walk, and where.
struct FoundRecord {
  std::string domain;
  DmarcRecord record;
};

// The name of one label more than `top`, which `domain` lies below, that ends `domain`.
std::string one_label_below(std::string_view domain, std::string_view top);

// The organizational domain of `domain`, from the records found on the walk that starts at it, longest name first
// (RFC 9989, 4.10.2): `domain` itself where none was.
std::string organizational_domain(std::string_view domain, const std::vector<FoundRecord>& found);

}  // namespace sallyport::policies
