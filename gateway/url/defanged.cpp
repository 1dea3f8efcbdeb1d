#include "gateway/url/defanged.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::url {

namespace {

struct Word {
  std::string_view inside;  // of brackets, lower case
  std::string_view meant;
};
constexpr std::array<Word, 12> words{{{".", "."},
                                      {"dot", "."},
                                      {"d0t", "."},
                                      {"punkt", "."},
                                      {":", ":"},
                                      {"://", "://"},
                                      {"/", "/"},
                                      {"//", "//"},
                                      {"@", "@"},
                                      {"at", "@"},
                                      {"s", "s"},
                                      {"tt", "tt"}}};
constexpr std::size_t longest_word = 5;

// The end of scheme and host: the first slash behind those that follow the scheme, however many and whichever those
// are (url.cpp), with the brackets around them. Without a scheme it is the first one that is not at the beginning.
std::size_t end_of_head(std::string_view text) {
  constexpr std::string_view brackets = "[](){}";
  const std::size_t first = std::min(text.find_first_of("/\\"), text.size());
  const std::size_t before = text.substr(0, first).find_last_not_of(brackets);
  if (before != std::string_view::npos && text[before] != ':') return std::min(text.find('/'), text.size());
  const std::size_t host = std::min(text.find_first_not_of("/\\[](){}", first), text.size());
  return std::min(text.find('/', host), text.size());
}

// What is meant by a word in brackets; empty when it stands for itself.
std::string_view meant_by(std::string_view inside) {
  for (const Word& word : words) {
    if (text::equals_ignoring_case(inside, word.inside)) return word.meant;
  }
  return {};
}

char opening_of(char closing) {
  switch (closing) {
    case ']':
      return '[';
    case ')':
      return '(';
    case '}':
      return '{';
    default:
      return '\0';
  }
}

struct Scheme {
  std::string_view written;
  std::string_view meant;
};
// Longer ones first, where one is the end of another.
constexpr std::array<Scheme, 14> schemes{{{"https", "https"},
                                          {"http", "http"},
                                          {"ftp", "ftp"},
                                          {"ftps", "ftps"},
                                          {"hxxps", "https"},
                                          {"hxxp", "http"},
                                          {"h**ps", "https"},
                                          {"h**p", "http"},
                                          {"hxtps", "https"},
                                          {"hxtp", "http"},
                                          {"htxps", "https"},
                                          {"htxp", "http"},
                                          {"fxp", "ftp"},
                                          {"meow", "http"}}};

}  // namespace

std::optional<std::string> refanged(std::string_view text) {
  if (text.find_first_of("[({") == std::string_view::npos) return std::nullopt;
  const std::size_t head = end_of_head(text);
  std::string out;
  bool is_other = false;
  // Each word is looked for when its closing bracket has come, so that brackets around brackets are read from the
  // inside outwards, and what comes out holds no such word any more.
  for (const char c : text) {
    out += c;
    const char opening = opening_of(c);
    if (opening == '\0') continue;
    const std::size_t from = out.size() - std::min(out.size(), longest_word + 2);
    const std::size_t at = std::string_view(out).substr(from).rfind(opening);
    if (at == std::string_view::npos) continue;
    const std::size_t begin = from + at;
    const std::string_view meant = meant_by(std::string_view(out).substr(begin + 1, out.size() - begin - 2));
    if (meant.empty()) continue;
    if (!is_other && begin >= head) return std::nullopt;
    is_other = true;
    out.resize(begin);
    out += meant;
  }
  return is_other ? std::optional(std::move(out)) : std::nullopt;
}

std::string_view known_scheme(std::string_view written, bool& is_defanged) {
  for (const Scheme& one : schemes) {
    if (!text::equals_ignoring_case(written, one.written)) continue;
    is_defanged = one.written != one.meant;
    return one.meant;
  }
  return {};
}

std::string_view scheme_at_end(std::string_view letters) {
  // What nearly all are, and no other ends with.
  if (letters.ends_with("https")) return letters.substr(letters.size() - 5);
  std::string_view longest;
  for (const Scheme& one : schemes) {
    if (one.written.size() > longest.size() && text::ends_with_ignoring_case(letters, one.written)) {
      longest = letters.substr(letters.size() - one.written.size());
    }
  }
  return longest;
}

}  // namespace sallyport::url
