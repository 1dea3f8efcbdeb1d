#include "gateway/mime/html_references.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <utility>

#include "gateway/base/octet_search.h"
#include "gateway/base/text.h"
#include "gateway/mime/short_name_table.h"

namespace sallyport::mime {

namespace {

using Entry = std::pair<std::string_view, char32_t>;

// HTML 4's, and a few that mailers write.
constexpr ShortNameTable known(std::array{
    Entry{"quot", '"'},     Entry{"amp", '&'},       Entry{"apos", '\''},     Entry{"lt", '<'},
    Entry{"gt", '>'},       Entry{"nbsp", 0xa0},     Entry{"iexcl", 0xa1},    Entry{"cent", 0xa2},
    Entry{"pound", 0xa3},   Entry{"yen", 0xa5},      Entry{"sect", 0xa7},     Entry{"copy", 0xa9},
    Entry{"laquo", 0xab},   Entry{"shy", 0xad},      Entry{"reg", 0xae},      Entry{"deg", 0xb0},
    Entry{"plusmn", 0xb1},  Entry{"acute", 0xb4},    Entry{"para", 0xb6},     Entry{"middot", 0xb7},
    Entry{"raquo", 0xbb},   Entry{"frac12", 0xbd},   Entry{"iquest", 0xbf},   Entry{"Agrave", 0xc0},
    Entry{"Aacute", 0xc1},  Entry{"Acirc", 0xc2},    Entry{"Atilde", 0xc3},   Entry{"Auml", 0xc4},
    Entry{"Aring", 0xc5},   Entry{"AElig", 0xc6},    Entry{"Ccedil", 0xc7},   Entry{"Egrave", 0xc8},
    Entry{"Eacute", 0xc9},  Entry{"Ecirc", 0xca},    Entry{"Euml", 0xcb},     Entry{"Ntilde", 0xd1},
    Entry{"Oacute", 0xd3},  Entry{"Ocirc", 0xd4},    Entry{"Otilde", 0xd5},   Entry{"Ouml", 0xd6},
    Entry{"times", 0xd7},   Entry{"Oslash", 0xd8},   Entry{"Uacute", 0xda},   Entry{"Uuml", 0xdc},
    Entry{"szlig", 0xdf},   Entry{"agrave", 0xe0},   Entry{"aacute", 0xe1},   Entry{"acirc", 0xe2},
    Entry{"atilde", 0xe3},  Entry{"auml", 0xe4},     Entry{"aring", 0xe5},    Entry{"aelig", 0xe6},
    Entry{"ccedil", 0xe7},  Entry{"egrave", 0xe8},   Entry{"eacute", 0xe9},   Entry{"ecirc", 0xea},
    Entry{"euml", 0xeb},    Entry{"igrave", 0xec},   Entry{"iacute", 0xed},   Entry{"icirc", 0xee},
    Entry{"iuml", 0xef},    Entry{"ntilde", 0xf1},   Entry{"ograve", 0xf2},   Entry{"oacute", 0xf3},
    Entry{"ocirc", 0xf4},   Entry{"otilde", 0xf5},   Entry{"ouml", 0xf6},     Entry{"oslash", 0xf8},
    Entry{"ugrave", 0xf9},  Entry{"uacute", 0xfa},   Entry{"ucirc", 0xfb},    Entry{"uuml", 0xfc},
    Entry{"yacute", 0xfd},  Entry{"ensp", 0x2002},   Entry{"emsp", 0x2003},   Entry{"thinsp", 0x2009},
    Entry{"zwnj", 0x200c},  Entry{"zwj", 0x200d},    Entry{"lrm", 0x200e},    Entry{"rlm", 0x200f},
    Entry{"ndash", 0x2013}, Entry{"mdash", 0x2014},  Entry{"lsquo", 0x2018},  Entry{"rsquo", 0x2019},
    Entry{"sbquo", 0x201a}, Entry{"ldquo", 0x201c},  Entry{"rdquo", 0x201d},  Entry{"bdquo", 0x201e},
    Entry{"bull", 0x2022},  Entry{"hellip", 0x2026}, Entry{"lsaquo", 0x2039}, Entry{"rsaquo", 0x203a},
    Entry{"euro", 0x20ac},  Entry{"trade", 0x2122},  Entry{"larr", 0x2190},   Entry{"rarr", 0x2192}});

// Those that are references without the semicolon, too (HTML, 13.5).
constexpr std::string_view without_semicolon[] = {
    "AElig",  "AMP",    "Aacute", "Acirc",  "Agrave", "Aring",  "Atilde", "Auml",   "COPY",   "Ccedil", "ETH",
    "Eacute", "Ecirc",  "Egrave", "Euml",   "GT",     "Iacute", "Icirc",  "Igrave", "Iuml",   "LT",     "Ntilde",
    "Oacute", "Ocirc",  "Ograve", "Oslash", "Otilde", "Ouml",   "QUOT",   "REG",    "THORN",  "Uacute", "Ucirc",
    "Ugrave", "Uuml",   "Yacute", "aacute", "acirc",  "acute",  "aelig",  "agrave", "amp",    "aring",  "atilde",
    "auml",   "brvbar", "ccedil", "cedil",  "cent",   "copy",   "curren", "deg",    "divide", "eacute", "ecirc",
    "egrave", "eth",    "euml",   "frac12", "frac14", "frac34", "gt",     "iacute", "icirc",  "iexcl",  "igrave",
    "iquest", "iuml",   "laquo",  "lt",     "macr",   "micro",  "middot", "nbsp",   "not",    "ntilde", "oacute",
    "ocirc",  "ograve", "ordf",   "ordm",   "oslash", "otilde", "ouml",   "para",   "plusmn", "pound",  "quot",
    "raquo",  "reg",    "sect",   "shy",    "sup1",   "sup2",   "sup3",   "szlig",  "thorn",  "times",  "uacute",
    "ucirc",  "ugrave", "uml",    "uuml",   "yacute", "yen",    "yuml"};

bool begins_reference(std::string_view name) {
  return std::any_of(std::begin(without_semicolon), std::end(without_semicolon),
                     [name](std::string_view one) { return name.starts_with(one); });
}

// The number behind "&#"; 0 where it is none, or one that stands for something else.
char32_t number_of(std::string_view digits) {
  const bool is_hex = !digits.empty() && (digits.front() == 'x' || digits.front() == 'X');
  if (is_hex) digits.remove_prefix(1);
  if (digits.empty() || digits.size() > 7) return 0;
  char32_t number = 0;
  for (const char digit : digits) {
    const char lower = text::lower(digit);
    if (text::is_digit(digit)) {
      number = number * (is_hex ? 16 : 10) + static_cast<char32_t>(digit - '0');
    } else if (is_hex && lower >= 'a' && lower <= 'f') {
      number = number * 16 + static_cast<char32_t>(lower - 'a' + 10);
    } else {
      return 0;
    }
  }
  const bool is_plain = (number >= 0x20 && number < 0x7f) || (number >= 0xa0 && number < 0xd800) ||
                        (number >= 0xe000 && number < 0xfdd0) || (number >= 0x1f000 && number < 0x1fa00);
  return is_plain || number == '\n' || number == '\t' ? number : 0;
}

void add_character(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      out += static_cast<char>(0xe0 | c >> 12);
    } else {
      out += static_cast<char>(0xf0 | c >> 18);
      out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    }
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
  }
  out += static_cast<char>(0x80 | (c & 0x3f));
}

// Reads what follows "&", and takes it off `rest`. False: nobody but gumbo shall read it.
bool resolve_one(std::string_view& rest, bool is_attribute, std::string& out) {
  if (rest.starts_with('#')) {
    const std::size_t end = rest.find(';');
    const char32_t number = end == std::string_view::npos || end > 9 ? 0 : number_of(rest.substr(1, end - 1));
    if (number == 0) return false;
    add_character(number, out);
    rest.remove_prefix(end + 1);
    return true;
  }
  const auto after = std::find_if_not(rest.begin(), rest.end(), text::is_alnum);
  const std::string_view name = rest.substr(0, static_cast<std::size_t>(after - rest.begin()));
  const bool has_semicolon = name.size() < rest.size() && rest[name.size()] == ';';
  if (!name.empty() && has_semicolon) {
    const char32_t* const character = known.find(name);
    if (character == nullptr) return false;
    add_character(*character, out);
    rest.remove_prefix(name.size() + 1);
    return true;
  }
  // "?a=1&b=2": in attributes a name without a semicolon that goes on is no reference (HTML, 13.2.5.73).
  const bool is_parameter = is_attribute && name.size() < rest.size() && rest[name.size()] == '=';
  if (!is_parameter && begins_reference(name)) return false;
  out += '&';
  out += name;
  rest.remove_prefix(name.size());
  return true;
}

}  // namespace

bool resolve_references(std::string_view text, bool is_attribute, std::string& out) {
  // No reference stands for more octets than it has.
  out.reserve(out.size() + text.size());
  while (true) {
    const std::size_t at = find_octet<'&', '\r'>(text, 0);
    out += text.substr(0, at);
    if (at == text.size()) break;
    const bool is_line_end = text[at] == '\r';
    text.remove_prefix(at + 1);
    if (is_line_end) {
      // Each line ends with LF (HTML, 13.2.3.5).
      if (!text.starts_with('\n')) out += '\n';
    } else if (!resolve_one(text, is_attribute, out)) {
      return false;
    }
  }
  return true;
}

}  // namespace sallyport::mime
