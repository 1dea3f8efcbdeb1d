#include "gateway/base/letters.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uspoof.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"

namespace sallyport {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

// Made once and never changed, as ICU requires of what several threads share.
const USpoofChecker* checker() {
  static const USpoofChecker* const made = [] {
    UErrorCode status = U_ZERO_ERROR;
    const USpoofChecker* opened = uspoof_open(&status);
    return U_SUCCESS(status) ? opened : nullptr;
  }();
  ensure(made != nullptr, "ICU has no table of confusable characters");
  return made;
}

const icu::Normalizer2& casefold_form() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = icu::Normalizer2::getNFKCCasefoldInstance(status);
  ensure(U_SUCCESS(status) && form != nullptr, "ICU has no table of case foldings");
  return *form;
}

std::string skeleton_by_icu(const std::string& valid) {
  // A character may have a prototype of up to eighteen; then the whole length is known, and there is a second call.
  std::string skeleton(valid.size() * 2 + 64, '\0');
  for (int attempt = 0; attempt < 2; ++attempt) {
    UErrorCode status = U_ZERO_ERROR;
    const int32_t octets = uspoof_getSkeletonUTF8(checker(), 0, valid.data(), static_cast<int32_t>(valid.size()),
                                                  skeleton.data(), static_cast<int32_t>(skeleton.size()), &status);
    const bool is_too_long = status == U_BUFFER_OVERFLOW_ERROR;
    ensure(is_too_long || U_SUCCESS(status), "ICU: a text has no skeleton");
    skeleton.resize(static_cast<std::size_t>(octets));
    if (!is_too_long) break;
  }
  return skeleton;
}

// What each character of ASCII looks like. A text of them looks like what they do, one after the other: the skeleton
// takes characters by themselves, and no normal form joins these.
using AsciiSkeletons = std::array<std::string, 128>;
const AsciiSkeletons& ascii_skeletons() {
  static const AsciiSkeletons all = [] {
    AsciiSkeletons made;
    for (std::size_t c = 0; c < made.size(); ++c) made[c] = skeleton_by_icu(std::string(1, static_cast<char>(c)));
    return made;
  }();
  return all;
}

std::vector<char32_t> characters_of(std::string_view text) {
  std::vector<char32_t> characters;
  characters.reserve(text.size());
  while (!text.empty()) {
    const auto character = text::decode_utf8(text);
    characters.push_back(character ? character->value : U'\ufffd');
    text.remove_prefix(character ? character->octets : 1);
  }
  return characters;
}

}  // namespace

std::string to_valid_utf8(std::string_view text) {
  if (text::is_utf8(text)) return std::string(text);
  std::string valid;
  valid.reserve(text.size() + 16);
  while (!text.empty()) {
    const auto character = text::decode_utf8(text);
    const std::size_t octets = character ? character->octets : 1;
    valid += character ? text.substr(0, octets) : replacement;
    text.remove_prefix(octets);
  }
  return valid;
}

std::string skeleton_of(std::string_view text) {
  if (!text::is_ascii(text)) return skeleton_by_icu(to_valid_utf8(text));
  const AsciiSkeletons& skeletons = ascii_skeletons();
  std::string skeleton;
  skeleton.reserve(text.size() + 8);
  for (const char c : text) skeleton += skeletons[static_cast<unsigned char>(c)];
  return skeleton;
}

std::string fold_letters(std::string_view text) {
  if (text::is_ascii(text)) return text::to_lower(text);
  const std::string valid = to_valid_utf8(text);
  std::string folded;
  icu::StringByteSink<std::string> sink(&folded);
  UErrorCode status = U_ZERO_ERROR;
  casefold_form().normalizeUTF8(0, icu::StringPiece(valid.data(), static_cast<int32_t>(valid.size())), sink, nullptr,
                                status);
  ensure(U_SUCCESS(status), "ICU: a text cannot be folded");
  return folded;
}

// The table of Lowrance and Wagner: row and column 0 stand before the texts, with a distance that is never the least.
// `last_row` has for each character of `b` the last row where it stood in `a`.
std::size_t letter_distance(std::string_view a, std::string_view b) {
  const std::vector<char32_t> from = characters_of(a);
  const std::vector<char32_t> to = characters_of(b);
  std::vector<char32_t> alphabet = to;
  std::sort(alphabet.begin(), alphabet.end());
  alphabet.erase(std::unique(alphabet.begin(), alphabet.end()), alphabet.end());
  const auto number_of = [&](char32_t character) {
    return static_cast<std::size_t>(std::lower_bound(alphabet.begin(), alphabet.end(), character) - alphabet.begin());
  };
  std::vector<std::size_t> numbers;
  for (const char32_t character : to) numbers.push_back(number_of(character));
  std::vector<std::size_t> last_row(alphabet.size() + 1, 0);

  const std::size_t width = to.size() + 2;
  const auto never = static_cast<std::uint32_t>(from.size() + to.size());
  std::vector<std::uint32_t> table((from.size() + 2) * width, never);
  const auto at = [&](std::size_t row, std::size_t column) -> std::uint32_t& { return table[row * width + column]; };
  for (std::size_t i = 0; i <= from.size(); ++i) at(i + 1, 1) = static_cast<std::uint32_t>(i);
  for (std::size_t j = 0; j <= to.size(); ++j) at(1, j + 1) = static_cast<std::uint32_t>(j);
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t last_equal = 0;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t row = last_row[numbers[j - 1]];
      const std::size_t column = last_equal;
      const bool is_equal = from[i - 1] == to[j - 1];
      if (is_equal) last_equal = j;
      const auto exchange = static_cast<std::uint32_t>((i - row - 1) + 1 + (j - column - 1));
      at(i + 1, j + 1) =
          std::min({at(i, j) + (is_equal ? 0u : 1u), at(i + 1, j) + 1, at(i, j + 1) + 1, at(row, column) + exchange});
    }
    const std::size_t number = number_of(from[i - 1]);
    const bool is_known = number < alphabet.size() && alphabet[number] == from[i - 1];
    if (is_known) last_row[number] = i;
  }
  return at(from.size() + 1, to.size() + 1);
}

}  // namespace sallyport
