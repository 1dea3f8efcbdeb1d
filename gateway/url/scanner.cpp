#include "gateway/url/scanner.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "gateway/base/mail_address.h"
#include "gateway/base/octet_search.h"
#include "gateway/base/text.h"
#include "gateway/url/defanged.h"
#include "gateway/url/url.h"

namespace sallyport::url {

namespace {

constexpr std::size_t max_name_octets = 1024;  // with letters beyond ASCII, before they are A-labels
constexpr std::size_t max_label_octets = 63;
constexpr std::size_t max_local_octets = 64;
constexpr std::size_t max_scheme_octets = 5;
// Each scheme within one word begins a candidate that goes to the word's end. After so many, a candidate ends where the
// next begins, so that the whole stays linear.
constexpr unsigned max_nested = 8;

enum : std::uint8_t { delimiter = 1, dot = 2, colon = 4, at_sign = 8, bracket = 16, wide = 32, wide_dot = 64 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t c = 0; c <= 0x20; ++c) classes[c] = delimiter;
  for (const char c : std::string_view("<>\"`\x7f")) classes[static_cast<unsigned char>(c)] = delimiter;
  classes['.'] = dot;
  classes[':'] = colon;
  classes['@'] = at_sign;
  for (const char c : std::string_view("[({")) classes[static_cast<unsigned char>(c)] = bracket;
  for (std::size_t c = 0x80; c < 0x100; ++c) classes[c] = wide;
  classes[0xe3] = classes[0xef] = wide | wide_dot;  // U+3002; U+FF0E, U+FF61
  return classes;
}
constexpr auto classes = make_classes();
constexpr std::uint8_t class_of(char c) { return classes[static_cast<unsigned char>(c)]; }

// The first octet at `at` or behind it without which a word is none of a URL; the text's end where there is none.
std::size_t next_mark(std::string_view text, std::size_t at) {
  return find_octet<'.', ':', '@', '[', '(', '{', '\xe3', '\xef'>(text, at);
}

constexpr std::array<std::string_view, 3> wide_dots{"\u3002", "\uff0e", "\uff61"};
// White space, quotation marks and brackets beyond ASCII that stand around a URL and not in it.
constexpr std::array<std::string_view, 30> wide_delimiters{
    "\u00a0", "\u00ab", "\u00bb", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
    "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u2018", "\u201c",
    "\u201d", "\u201e", "\u3000", "\u3001", "\u300c", "\u300d", "\u3010", "\u3011", "\uff08", "\uff09"};

// The length of the delimiter or dot beyond ASCII that stands at the beginning; 0: another character.
template <std::size_t N>
std::size_t leading(std::string_view text, const std::array<std::string_view, N>& of) {
  for (const std::string_view one : of) {
    if (text.starts_with(one)) return one.size();
  }
  return 0;
}
bool may_lead_delimiter(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet == 0xc2 || octet == 0xe2 || octet == 0xe3 || octet == 0xef;
}

bool is_name_char(char c) { return text::is_alnum(c) || c == '-' || c == '_' || c == '.' || !text::is_ascii(c); }

// The last label of a name, whatever its dots are.
std::string_view last_label(std::string_view name) {
  std::size_t from = name.rfind('.') + 1;
  if (text::is_ascii(name)) return from == 0 ? std::string_view() : name.substr(from);
  for (const std::string_view dot : wide_dots) {
    const std::size_t at = name.rfind(dot);
    if (at != std::string_view::npos) from = std::max(from, at + dot.size());
  }
  return from == 0 ? std::string_view() : name.substr(from);
}

// How many of (, [ and { are not closed; below zero: more are closed than opened.
std::array<int, 3> open_brackets(std::string_view url) {
  std::array<int, 3> open{};
  for (const char c : url) {
    open[0] += c == '(' ? 1 : c == ')' ? -1 : 0;
    open[1] += c == '[' ? 1 : c == ']' ? -1 : 0;
    open[2] += c == '{' ? 1 : c == '}' ? -1 : 0;
  }
  return open;
}

// One end of a sentence's or a bracket's punctuation: what is written behind a URL and does not belong to it.
std::string_view without_punctuation(std::string_view url) {
  std::optional<std::array<int, 3>> counted;
  constexpr std::array<std::string_view, 6> wide_ends{"\u3002", "\uff0c", "\uff01", "\uff1f", "\u2019", "\u2026"};
  while (!url.empty()) {
    const char last = url.back();
    if (std::string_view(".,;:!?'*|").find(last) != std::string_view::npos) {
      url.remove_suffix(1);
      continue;
    }
    const bool closes = last == ')' || last == ']' || last == '}';
    if (closes && !counted) counted = open_brackets(url);
    const std::size_t kind = last == ')' ? 0 : last == ']' ? 1 : 2;
    if (closes && (*counted)[kind] < 0) {
      url.remove_suffix(1);
      ++(*counted)[kind];
    } else if (text::is_ascii(last)) {
      break;
    } else {
      const auto wide_end =
          std::find_if(wide_ends.begin(), wide_ends.end(), [url](auto end) { return url.ends_with(end); });
      if (wide_end == wide_ends.end()) break;
      url.remove_suffix(wide_end->size());
    }
  }
  return url;
}

class Scan {
 public:
  Scan(std::string_view text, const TopLevelDomains& top, const CandidateSink& sink)
      : text_(text), top_(top), sink_(sink) {}

  // From one mark to the next: a word without any is none of a URL, and need not be looked at.
  bool run() {
    std::size_t at = 0;
    while (!is_ended_) {
      const std::size_t mark = next_mark(text_, at);
      if (mark == text_.size()) break;
      std::size_t begin = mark;
      while (begin > at && (class_of(text_[begin - 1]) & delimiter) == 0) --begin;
      std::uint8_t found = 0;
      for (at = begin; at < text_.size(); ++at) {
        const std::uint8_t one = class_of(text_[at]);
        if ((one & delimiter) != 0) break;
        found |= one;
      }
      const bool is_sentence_end = found == dot && ends_with_dots(text_.substr(mark, at - mark));
      if (!is_sentence_end && ((found & colon) == 0 || !broken_url(begin, at))) {
        word(text_.substr(begin, at - begin), found);
      }
      ++at;
    }
    return !is_ended_;
  }

 private:
  // Whether a word has nothing behind its first dot that a name would have there: it is the last one of a sentence.
  static bool ends_with_dots(std::string_view from_dot) {
    return std::all_of(from_dot.begin(), from_dot.end(), [](char c) { return is_edge(c) || !is_name_char(c); });
  }

  void emit(std::string_view candidate) {
    candidate = without_punctuation(candidate.substr(0, max_url_octets));
    if (!candidate.empty() && !is_ended_ && !sink_(candidate)) is_ended_ = true;
  }

  // "<http://example.com/a", a line end, "b>": RFC 3986, appendix C. Then `end` is the ">".
  bool broken_url(std::size_t begin, std::size_t& end) {
    if (begin == 0 || text_[begin - 1] != '<' || end == text_.size()) return false;
    if (text_[end] != '\r' && text_[end] != '\n') return false;
    const std::string_view first = text_.substr(begin, end - begin);
    const std::string_view labelled = text::starts_with_ignoring_case(first, "url:") ? first.substr(4) : first;
    if (scheme_at_end(labelled.substr(0, std::min(labelled.find(':'), max_scheme_octets + 1))).empty()) return false;
    if (closing_ < begin) closing_ = std::min(text_.find('>', begin), text_.size());
    if (closing_ == text_.size() || closing_ - begin > max_url_octets) return false;
    const std::string_view whole = text_.substr(begin, closing_ - begin);
    // What is not a line end or the indent behind it ends a URL, and another "<" begins one.
    if (whole.find_first_of("<\"`") != std::string_view::npos) return false;
    std::string joined(whole);
    std::erase_if(joined, [](char c) { return c == ' ' || text::is_control(c); });
    word(joined, delimiter);
    // What it is when lines are not joined.
    word(first, colon);
    end = closing_;
    return true;
  }

  // Splits at delimiters beyond ASCII, and reads defanged forms.
  void word(std::string_view word, std::uint8_t found) {
    if ((found & bracket) != 0) {
      if (const auto plain = refanged(word)) return pieces(*plain, (found & wide) != 0);
    }
    pieces(word, (found & (wide | delimiter)) != 0);
  }

  void pieces(std::string_view word, bool is_wide) {
    std::size_t begin = 0;
    for (std::size_t at = 0; is_wide && at < word.size(); ++at) {
      if (!may_lead_delimiter(word[at])) continue;
      const std::size_t length = leading(word.substr(at, 3), wide_delimiters);
      if (length == 0) continue;
      piece(word.substr(begin, at - begin));
      begin = at + length;
      at = begin - 1;
    }
    piece(word.substr(begin));
  }

  void piece(std::string_view piece) {
    if (is_ended_ || piece.size() < 4) return;
    const std::size_t first = next_scheme(piece, 0);
    if (first > 0) names_and_addresses(piece.substr(0, first));
    unsigned count = 0;
    for (std::size_t at = first; at < piece.size() && !is_ended_;) {
      const std::size_t next = next_scheme(piece, piece.find(':', at) + 1);
      const bool is_list =
          next < piece.size() && std::string_view(",;|").find(piece[next - 1]) != std::string_view::npos;
      const std::size_t end = is_list || ++count > max_nested ? next : piece.size();
      emit(piece.substr(at, end - at));
      at = next;
    }
  }

  // Where the next scheme with a slash behind it begins, from `from` on; the piece's end when there is none.
  static std::size_t next_scheme(std::string_view piece, std::size_t from) {
    for (std::size_t at = piece.find(':', from); at != std::string_view::npos; at = piece.find(':', at + 1)) {
      if (at + 1 >= piece.size() || (piece[at + 1] != '/' && piece[at + 1] != '\\')) continue;
      const std::size_t reach = std::min(at - from, max_scheme_octets);
      const std::string_view scheme = scheme_at_end(piece.substr(at - reach, reach));
      if (!scheme.empty()) return at - scheme.size();
    }
    return piece.size();
  }

  void names_and_addresses(std::string_view piece) {
    std::size_t at = 0;
    while (at < piece.size() && !is_ended_) {
      while (at < piece.size() && !is_name_char(piece[at])) ++at;
      const std::size_t begin = at;
      bool has_dot = false;
      for (; at < piece.size() && is_name_char(piece[at]); ++at) {
        if ((class_of(piece[at]) & (dot | wide_dot)) != 0) has_dot = true;
      }
      const char before = begin == 0 ? ' ' : piece[begin - 1];
      if (before == '@') address(piece, begin - 1, at);
      if (!has_dot || before == '@') continue;
      if ((before == '/' || before == '\\') && !begins_authority(piece, begin)) continue;
      if (at < piece.size() && piece[at] == '@') continue;
      if (name(piece, begin, at)) return;
    }
  }

  // Whether two slashes or more stand before a name, and nothing before these but a scheme: "//example.com",
  // "\\example.com\share", "file://example.com/a".
  static bool begins_authority(std::string_view piece, std::size_t name) {
    std::size_t slashes = name;
    while (slashes > 0 && (piece[slashes - 1] == '/' || piece[slashes - 1] == '\\')) --slashes;
    return name - slashes >= 2 && (slashes == 0 || piece[slashes - 1] == ':');
  }

  // What stands around the "@"; `end` is the end of the name behind it.
  void address(std::string_view piece, std::size_t at, std::size_t end) {
    std::size_t begin = at;
    while (begin > 0 && at - begin < max_local_octets && is_atext_or_dot(piece[begin - 1])) --begin;
    const std::string_view domain = trimmed(piece.substr(at + 1, end - at - 1));
    if (begin == at || domain.empty() || !is_known_name(domain)) return;
    emit(piece.substr(begin, at + 1 - begin + domain.size()));
  }
  static bool is_atext_or_dot(char c) { return c == '.' || is_atext(c); }

  // True when the candidate goes to the end of the piece.
  bool name(std::string_view piece, std::size_t begin, std::size_t end) {
    const std::string_view name = trimmed(piece.substr(begin, end - begin));
    if (name.empty()) return false;
    const bool goes_on = end < piece.size() && std::string_view("/\\?#:").find(piece[end]) != std::string_view::npos;
    const auto from = static_cast<std::size_t>(name.data() - piece.data());
    const std::size_t stop = goes_on ? piece.size() : from + name.size();
    const bool is_known = is_known_name(name) || (goes_on && piece[end] != '#' && is_dotted_quad(name));
    if (is_known) emit(piece.substr(from, stop - from));
    if (!text::is_ascii(name)) ascii_parts(name, is_known, piece.substr(from, stop - from));
    return is_known && goes_on;
  }

  // Names of ASCII with other letters around them. Where the whole may be a name, only between letters of scripts that
  // have no spaces (from U+3000 on): the parts of "münchen.example" are none.
  void ascii_parts(std::string_view name, bool is_whole_known, std::string_view with_rest) {
    for (std::size_t at = 0; at < name.size() && !is_ended_;) {
      while (at < name.size() && !text::is_ascii(name[at])) ++at;
      const std::size_t begin = at;
      while (at < name.size() && text::is_ascii(name[at])) ++at;
      const bool is_apart = stands_without_space(name, begin, at);
      if (is_whole_known && !is_apart) continue;
      const std::string_view part = trimmed(name.substr(begin, at - begin));
      if (part.find('.') == std::string_view::npos || !is_known_name(part)) continue;
      emit(at == name.size() ? with_rest.substr(static_cast<std::size_t>(part.data() - name.data())) : part);
    }
  }

  // Whether the characters on both sides, where there are any, are of U+3000 or above.
  static bool stands_without_space(std::string_view name, std::size_t begin, std::size_t end) {
    constexpr unsigned char first_lead = 0xe3, first_continuation = 0x80, last_continuation = 0xbf;
    const auto octet = [name](std::size_t at) { return static_cast<unsigned char>(name[at]); };
    if (end < name.size() && octet(end) < first_lead) return false;
    while (begin > 0 && octet(begin - 1) >= first_continuation && octet(begin - 1) <= last_continuation) --begin;
    return begin == 0 || octet(begin - 1) >= first_lead;
  }

  bool is_known_name(std::string_view name) const {
    if (name.size() > max_name_octets) return false;
    const std::string_view top = last_label(name);
    return !top.empty() && top.size() <= max_label_octets && is_known_top(top);
  }

  // Most names of a mail end alike, and the list is slow to ask.
  bool is_known_top(std::string_view top) const {
    if (top != last_top_) {
      last_top_ = top;
      is_last_known_ = top_.has(top);
    }
    return is_last_known_;
  }

  static bool is_dotted_quad(std::string_view name) {
    return std::count(name.begin(), name.end(), '.') == 3 &&
           std::all_of(name.begin(), name.end(), [](char c) { return c == '.' || text::is_digit(c); });
  }

  static bool is_edge(char c) { return c == '.' || c == '-' || c == '_'; }
  // Without dots, hyphens and underscores at both ends.
  static std::string_view trimmed(std::string_view name) {
    while (!name.empty() && is_edge(name.front())) name.remove_prefix(1);
    while (!name.empty() && (is_edge(name.back()) || !text::is_ascii(name.back()))) {
      const auto wide =
          std::find_if(wide_dots.begin(), wide_dots.end(), [name](auto dot) { return name.ends_with(dot); });
      if (wide == wide_dots.end() && !is_edge(name.back())) break;
      name.remove_suffix(wide == wide_dots.end() ? 1 : wide->size());
    }
    return name;
  }

  std::string_view text_;
  const TopLevelDomains& top_;
  const CandidateSink& sink_;
  mutable std::string last_top_;
  mutable bool is_last_known_ = false;
  std::size_t closing_ = 0;  // the next ">" as far as it was looked for
  bool is_ended_ = false;
};

}  // namespace

bool scan_for_urls(std::string_view text, const TopLevelDomains& top, const CandidateSink& sink) {
  return Scan(text, top, sink).run();
}

}  // namespace sallyport::url
