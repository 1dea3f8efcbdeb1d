#include "gateway/base/text_safety.h"

#include <algorithm>
#include <array>

#include "gateway/base/text.h"

namespace sallyport::text {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Default_Ignorable_Code_Point of Unicode 15 (DerivedCoreProperties.txt), and what is named beside it.
constexpr std::array deceptive{
    Range{0x0000, 0x001f},    // C0 controls
    Range{0x007f, 0x009f},    // DEL, C1 controls
    Range{0x00ad, 0x00ad},    // soft hyphen
    Range{0x034f, 0x034f},    // combining grapheme joiner
    Range{0x061c, 0x061c},    // Arabic letter mark
    Range{0x115f, 0x1160},    // Hangul fillers
    Range{0x17b4, 0x17b5},    // Khmer inherent vowels
    Range{0x180b, 0x180f},    // Mongolian variation selectors and vowel separator
    Range{0x200b, 0x200f},    // zero-width space and joiners, left-to-right and right-to-left mark
    Range{0x2028, 0x202e},    // line and paragraph separator; embeddings and overrides of direction
    Range{0x2060, 0x206f},    // word joiner, invisible operators, isolates, deprecated format characters
    Range{0x3164, 0x3164},    // Hangul filler
    Range{0xfe00, 0xfe0f},    // variation selectors
    Range{0xfeff, 0xfeff},    // zero-width no-break space, byte order mark
    Range{0xffa0, 0xffa0},    // halfwidth Hangul filler
    Range{0xfff0, 0xfffb},    // unassigned, ignorable; interlinear annotation marks
    Range{0x1bca0, 0x1bca3},  // shorthand format controls
    Range{0x1d173, 0x1d17a},  // musical format controls
    Range{0xe0000, 0xe0fff},  // tags, more variation selectors
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < deceptive.size(); ++i) {
    if (deceptive[i].first > deceptive[i].last) return false;
    if (i > 0 && deceptive[i - 1].last >= deceptive[i].first) return false;
  }
  return true;
}
static_assert(is_in_order());

}  // namespace

bool is_deceptive(char32_t character) {
  const auto found = std::lower_bound(deceptive.begin(), deceptive.end(), character,
                                      [](const Range& range, char32_t c) { return range.last < c; });
  return found != deceptive.end() && found->first <= character;
}

std::string showable(std::string_view peer_text) {
  std::string out;
  out.reserve(peer_text.size());
  while (!peer_text.empty()) {
    const auto character = decode_utf8(peer_text);
    const std::size_t octets = character ? character->octets : 1;
    if (character && !is_deceptive(character->value)) {
      out.append(peer_text.substr(0, octets));
    } else {
      out += '?';
    }
    peer_text.remove_prefix(octets);
  }
  return out;
}

}  // namespace sallyport::text
