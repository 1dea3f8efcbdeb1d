// The bounds of reading a mail's parts (threats.md M1, M2, I6). Whoever needs more than these allow is unscannable: an
// outcome with a reason, never "clean".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/base/fields.h"

namespace sallyport::mime {

struct Limits {
  std::size_t depth = 32;    // of multiparts and attached messages together; the message itself is 0
  std::size_t parts = 1000;  // other readings of a part included
  // Octets that the tree may take in memory: entries, names, labels. Octets of content are not kept in it.
  std::size_t tree_octets = std::size_t{224} * 1024;  // room for `parts` of them
  // Other readings are found by reading parts of the message again. So many times the message's size may be read in
  // all, and no less than `least_rereading` octets.
  std::uint64_t rereadings = 8;
  std::uint64_t least_rereading = std::uint64_t{4} << 20;
};

// Fixed bounds: no sender that means well comes near them.
inline constexpr std::size_t max_part_header_octets = std::size_t{64} * 1024;  // kept of one part's header section
inline constexpr std::size_t max_part_fields = 1000;                           // of one part
inline constexpr std::size_t max_boundary_octets = 256;                        // RFC 2046 allows 70
inline constexpr std::size_t max_boundaries = 8;                               // candidates of one multipart
inline constexpr std::size_t max_names = 16;                                   // candidates of one part
inline constexpr std::size_t max_name_octets = 1024;                           // of each, in UTF-8
inline constexpr std::size_t max_comment_depth = 32;
// Of the contents of short texts together, which are kept from when they are found until the mail's end.
inline constexpr std::size_t max_kept_octets = std::size_t{32} * 1024;

// Why a mail's parts could not all be read.
enum class Unscannable : std::uint8_t {
  no,
  depth,
  parts,
  header,   // a part's header section is over its bounds
  memory,   // the tree would be larger than it may be
  work,     // there are more readings than may be followed
  tnef,     // an envelope of TNEF (winmail.dat) that cannot be read
  smime,    // signed or compressed content by CMS that cannot be read
  storage,  // the message was not kept, or cannot be read back
};

}  // namespace sallyport::mime

template <>
inline constexpr auto sallyport::words_of<sallyport::mime::Unscannable> =
    std::to_array<std::string_view>({"no", "depth", "parts", "header", "memory", "work", "tnef", "smime", "storage"});
