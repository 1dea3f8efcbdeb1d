#include "lua/engine/fixed_text.h"

#include <algorithm>
#include <functional>
#include <string>

#include "gateway/base/text.h"
#include "lua/engine/lua_tokens.h"

namespace sallyport::lua {

namespace {

constexpr std::size_t most_shown = 200;
constexpr std::size_t shortest_constant = 4;  // a shorter one may be the beginning of anything

// The words of Lua's messages (ldebug.c, lauxlib.c, lvm.c, the libraries) and of the engine's.
constexpr std::string_view engine_words =
    " "
    "'for' 'n%%0' 'n%0' 'n//0' IP JSON Lua's UTF-8 __tostring a across add addr address after an and another are "
    "argument arguments arithmetic around array as assertion at attempt bad be because belongs beside bit bitwise "
    "boolean borrowed bounds budget burst but by byte call called calling calls can cannot capture captures case "
    "change changed changes characters check circle class close closing code code's codes colon compare comparison "
    "compile complex concatenate connection's constant content control conversion convert coroutine coroutines days "
    "dead declares deeply destination did div does domain done each either elements empty ends entries entry error "
    "every exist expected expression failed failed! field fields file files finite flag for format from function "
    "get global gone got handling has header headers here host idiv ignore in index infinite initial inside integer "
    "interval invalid is it item iterator its kept key keys kind known large length library like limit list load "
    "loaded loads local long longer lookups made mail malformed many match message metamethod metatable method "
    "missing more must name names negative nest nested nests network nil no non-suspended none not number numbers "
    "octets of off on one only or order other others out over overflow override own path pattern patterns perform "
    "policy.rules.http position protected quarantine range rate read redirect refresh regular relay replacement "
    "reply representation require required result results resume returned rule rules run running runs score "
    "searched second self set size skip slice sorting sp.log sp.rule sp.setting stack stage status step string "
    "string.gsub such table table.sort tag tempfail text than that the there this thread time to together too two "
    "type unfinished unless unpack upstream upstreams upvalue url use userdata value values wait was while with "
    "word wrong yield zero ";

// `word` has no space in it.
bool is_engine_word(std::string_view word) {
  return engine_words.find(' ' + std::string(word) + ' ') != engine_words.npos;
}

bool is_word_end(char c) { return c == ' ' || c == '\t'; }

// "(field", "'name')," without what punctuation is around it.
std::string_view core_of(std::string_view word) {
  constexpr std::string_view around = "()[],:;.?\"'";
  const std::size_t first = word.find_first_not_of(around);
  if (first == word.npos) return {};
  return word.substr(first, word.find_last_not_of(around) - first + 1);
}

}  // namespace

std::string_view without_place(std::string_view message) {
  while (true) {
    const std::size_t end = message.find(": ");
    if (end == message.npos || end == 0) return message;
    const std::string_view place = message.substr(0, end);
    const std::size_t colon = place.rfind(':');
    if (colon == place.npos || place.find(' ') != place.npos) return message;
    if (!text::to_number(place.substr(colon + 1), INT32_MAX)) return message;
    message.remove_prefix(end + 2);
  }
}

void FixedText::add(std::string_view source) {
  const Tokens tokens(tokens_of(source));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens.at(i);
    if (token.kind == Token::Kind::name) names_.emplace(token.text.substr(0, most_shown));
    if (token.kind != Token::Kind::string) continue;
    // What follows an escape or a placeholder of string.format is another text when the program runs.
    const std::string_view constant = token.text.substr(0, token.text.find_first_of("\\%")).substr(0, most_shown);
    if (constant.size() >= shortest_constant) constants_.emplace(constant);
  }
}

// How many octets of the message are a constant.
std::size_t FixedText::longest_constant(std::string_view message) const {
  for (std::size_t size = std::min(message.size(), most_shown); size >= shortest_constant; --size) {
    if (constants_.contains(message.substr(0, size))) return size;
  }
  return 0;
}

bool FixedText::is_known_word(std::string_view word) const {
  if (is_engine_word(word)) return true;
  const std::string_view core = core_of(word);
  if (core.empty()) return true;
  if (is_engine_word(core)) return true;
  if (core.starts_with('#') && text::to_number(core.substr(1), 255)) return true;
  // A name in quotes, or several with dots between them, that stand in the rule files too.
  const bool is_quoted = word.find('\'') != word.npos;
  if (!is_quoted && core.find('.') == core.npos) return false;
  std::string_view rest = core;
  while (true) {
    const std::size_t dot = rest.find('.');
    if (!names_.contains(rest.substr(0, dot))) return false;
    if (dot == rest.npos) return true;
    rest.remove_prefix(dot + 1);
  }
}

std::size_t digest_of(std::string_view message) {
  // What is behind is never shown.
  return std::hash<std::string_view>()(without_place(message).substr(0, 2 * most_shown)) | 1;
}

std::string FixedText::shown(std::string_view message, bool by_rule) const {
  message = without_place(message);
  if (const std::size_t size = longest_constant(message)) {
    return text::printable(message.substr(0, size), most_shown) + (size < message.size() ? "..." : "");
  }
  if (by_rule) return "(not shown)";
  std::size_t end = 0;  // of what is shown
  std::size_t at = 0;
  while (at < message.size()) {
    const auto next = static_cast<std::size_t>(
        std::find_if(message.begin() + static_cast<std::ptrdiff_t>(at), message.end(), is_word_end) - message.begin());
    if (next > most_shown || !is_known_word(message.substr(at, next - at))) break;
    end = next;
    at = next + 1;
  }
  if (end == 0) return "(not shown)";
  return text::printable(message.substr(0, end), most_shown) + (end < message.size() ? " ..." : "");
}

}  // namespace sallyport::lua
