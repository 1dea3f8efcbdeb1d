#include "policies/spf/macro.h"

#include <algorithm>

#include "gateway/base/text.h"

namespace sallyport::policies::spf {

namespace {

constexpr std::string_view delimiter_characters = ".-+,/_=";
constexpr std::string_view name_letters = "slodiphv";
constexpr std::string_view explanation_letters = "crt";

constexpr bool is_visible(char c) { return c > 0x20 && c < 0x7f; }

// "com", "xn--p1ai": letters, digits and hyphens, no hyphen at either end, not digits alone (RFC 7208, 7.1).
bool is_top_label(std::string_view label) {
  if (label.empty() || label.front() == '-' || label.back() == '-') return false;
  const auto fits = [](char c) { return text::is_alnum(c) || c == '-'; };
  return std::all_of(label.begin(), label.end(), fits) && !std::all_of(label.begin(), label.end(), text::is_digit);
}

bool is_allowed(const MacroPiece& piece, MacroUse use) {
  if (piece.letter != 0) {
    return name_letters.find(piece.letter) != std::string_view::npos ||
           (use == MacroUse::explanation && explanation_letters.find(piece.letter) != std::string_view::npos);
  }
  if (piece.is_expand) return true;
  return std::all_of(piece.text.begin(), piece.text.end(),
                     [use](char c) { return is_visible(c) || (c == ' ' && use == MacroUse::explanation); });
}

}  // namespace

std::optional<MacroPiece> MacroReader::next() {
  if (is_broken_ || rest_.empty()) return std::nullopt;
  if (rest_.front() == '%') return read_expand();
  MacroPiece piece;
  piece.text = rest_.substr(0, rest_.find('%'));
  rest_.remove_prefix(piece.text.size());
  return piece;
}

std::optional<MacroPiece> MacroReader::read_expand() {
  if (rest_.size() < 2) return broken();
  MacroPiece piece;
  piece.is_expand = true;
  switch (rest_[1]) {
    case '%':
      piece.text = "%";
      break;
    case '_':
      piece.text = " ";
      break;
    case '-':
      piece.text = "%20";
      break;
    case '{':
      return read_macro();
    default:
      return broken();
  }
  rest_.remove_prefix(2);
  return piece;
}

std::optional<MacroPiece> MacroReader::read_macro() {
  const std::size_t end = rest_.find('}');
  if (end == std::string_view::npos || end < 3 || !text::is_alpha(rest_[2])) return broken();
  MacroPiece piece;
  piece.is_expand = true;
  piece.letter = text::lower(rest_[2]);
  piece.url_escape = piece.letter != rest_[2];
  std::string_view transformers = rest_.substr(3, end - 3);
  rest_.remove_prefix(end + 1);

  std::size_t digits = 0;
  while (digits < transformers.size() && text::is_digit(transformers[digits])) {
    // No value has more parts than octets: a number that is larger means all of them.
    piece.keep = std::min(piece.keep * 10 + static_cast<unsigned>(transformers[digits] - '0'), 100'000u);
    ++digits;
  }
  if (digits > 0 && piece.keep == 0) return broken();  // RFC 7208, 7.3
  transformers.remove_prefix(digits);
  if (!transformers.empty() && text::lower(transformers.front()) == 'r') {
    piece.reverse = true;
    transformers.remove_prefix(1);
  }
  if (transformers.find_first_not_of(delimiter_characters) != std::string_view::npos) return broken();
  piece.delimiters = transformers;
  return piece;
}

std::optional<MacroPiece> MacroReader::broken() {
  is_broken_ = true;
  return std::nullopt;
}

bool is_macro_string(std::string_view text, MacroUse use) {
  MacroReader reader(text);
  while (auto piece = reader.next()) {
    if (!is_allowed(*piece, use)) return false;
  }
  return !reader.is_broken();
}

bool is_domain_spec(std::string_view text) {
  MacroReader reader(text);
  MacroPiece last;
  while (auto piece = reader.next()) {
    if (!is_allowed(*piece, MacroUse::name)) return false;
    last = *piece;
  }
  if (reader.is_broken() || text.empty()) return false;
  if (last.is_expand) return true;
  std::string_view end = last.text;
  if (end.ends_with('.')) end.remove_suffix(1);
  const std::size_t dot = end.rfind('.');
  return dot != std::string_view::npos && is_top_label(end.substr(dot + 1));
}

bool uses_macro(std::string_view macro_string, std::string_view letters) {
  MacroReader reader(macro_string);
  while (auto piece = reader.next()) {
    if (piece->letter != 0 && letters.find(piece->letter) != std::string_view::npos) return true;
  }
  return false;
}

bool is_name(std::string_view name, std::size_t labels) {
  constexpr std::size_t most_octets = 253;
  constexpr std::size_t most_label_octets = 63;
  if (name.size() > most_octets) return false;
  std::size_t seen = 0;
  while (true) {
    const std::size_t dot = name.find('.');
    const std::size_t octets = std::min(dot, name.size());
    if (octets == 0 || octets > most_label_octets) return false;
    ++seen;
    if (dot == std::string_view::npos) return seen >= labels;
    name.remove_prefix(dot + 1);
  }
}

}  // namespace sallyport::policies::spf
