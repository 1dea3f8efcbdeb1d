#include "lua/engine/pattern.h"

#include <cstring>

#include "gateway/base/text.h"
#include "lua/engine/context.h"

namespace sallyport::lua {

namespace {

constexpr int most_nesting = 200;

bool is_graphic(char c) { return text::is_printable(c) && c != ' '; }
bool is_white(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_hex(char c) { return text::is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'f'); }

// Matches `c` against the letter after '%': %a, %d and so on; a capital letter means the complement. Any other octet
// matches itself.
bool matches_class(char c, char letter) {
  bool in_class = false;
  switch (text::lower(letter)) {
    case 'a':
      in_class = text::is_alpha(c);
      break;
    case 'c':
      in_class = text::is_control(c);
      break;
    case 'd':
      in_class = text::is_digit(c);
      break;
    case 'g':
      in_class = is_graphic(c);
      break;
    case 'l':
      in_class = c >= 'a' && c <= 'z';
      break;
    case 'p':
      in_class = is_graphic(c) && !text::is_alnum(c);
      break;
    case 's':
      in_class = is_white(c);
      break;
    case 'u':
      in_class = c >= 'A' && c <= 'Z';
      break;
    case 'w':
      in_class = text::is_alnum(c);
      break;
    case 'x':
      in_class = is_hex(c);
      break;
    case 'z':
      in_class = c == '\0';
      break;  // deprecated, but Lua 5.4 still accepts it
    default:
      return letter == c;
  }
  return in_class != (letter >= 'A' && letter <= 'Z');
}

// Matching one character against a set reads the whole set, so the cost grows with the set's length.
std::uint64_t cost_of_class(const char* p, const char* after) { return 1 + static_cast<std::uint64_t>(after - p) / 4; }

unsigned char octet(char c) { return static_cast<unsigned char>(c); }

// Matches `c` against a set; `p` points to its '[' and `last` to its ']'.
bool matches_set(char c, const char* p, const char* last) {
  bool wanted = true;
  if (p[1] == '^') {
    wanted = false;
    ++p;
  }
  while (++p < last) {
    if (*p == '%') {
      if (matches_class(c, *++p)) return wanted;
    } else if (p[1] == '-' && p + 2 < last) {
      if (octet(p[0]) <= octet(c) && octet(c) <= octet(p[2])) return wanted;
      p += 2;
    } else if (*p == c) {
      return wanted;
    }
  }
  return !wanted;
}

}  // namespace

class PatternMatch::Nesting {
 public:
  explicit Nesting(PatternMatch& match) : match_(match) {
    if (match.nesting_ >= most_nesting) luaL_error(match.L_, "pattern too complex");
    ++match.nesting_;
  }
  ~Nesting() { --match_.nesting_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  PatternMatch& match_;
};

PatternMatch::PatternMatch(lua_State* L, std::string_view subject, std::string_view pattern)
    : L_(L),
      subject_(subject),
      pattern_(pattern),
      subject_end_(subject.data() + subject.size()),
      pattern_end_(pattern.data() + pattern.size()) {}

void PatternMatch::spend() {
  Context::of(L_).meter.spend(L_, unspent_);
  unspent_ = 0;
}

const char* PatternMatch::match_at(const char* from) {
  level_ = 0;
  return match(from, pattern_.data());
}

const char* PatternMatch::match(const char* s, const char* p) {
  const Nesting nesting(*this);
  // A step that continues in one way only is done in this loop. Recursion is used where the matcher may have to
  // backtrack.
  while (true) {
    step();
    if (p == pattern_end_) return s;
    const char following = p + 1 < pattern_end_ ? p[1] : '\0';
    if (*p == '(') return following == ')' ? start_capture(s, p + 2, position) : start_capture(s, p + 1, unfinished);
    if (*p == ')') return end_capture(s, p + 1);
    if (*p == '$' && p + 1 == pattern_end_) return s == subject_end_ ? s : nullptr;
    if (*p == '%' && following == 'b') {
      s = match_balance(s, p + 2);
      if (!s) return nullptr;
      p += 4;
    } else if (*p == '%' && following == 'f') {
      p += 2;
      if (p >= pattern_end_ || *p != '[') luaL_error(L_, "missing '[' after '%%f' in pattern");
      const char* after = end_of_class(p);
      if (!is_at_frontier(s, p, after)) return nullptr;
      p = after;
    } else if (*p == '%' && text::is_digit(following)) {
      s = match_back_reference(s, following);
      if (!s) return nullptr;
      p += 2;
    } else {
      const char* next_s = nullptr;
      const char* next_p = nullptr;
      const char* end = match_default(s, p, next_s, next_p);
      if (!next_p) return end;
      s = next_s;
      p = next_p;
    }
  }
}

// Matches one character class with its suffix (*, +, -, ?). Returns the end of the whole match or null; or, to continue
// the loop in match(), sets next_s and next_p.
const char* PatternMatch::match_default(const char* s, const char* p, const char*& next_s, const char*& next_p) {
  const char* after = end_of_class(p);
  const char suffix = after < pattern_end_ ? *after : '\0';
  if (suffix == '*') return expand(s, p, after);
  if (suffix == '-') return expand_lazily(s, p, after);
  if (suffix == '+') return matches_single(s, p, after) ? expand(s + 1, p, after) : nullptr;
  const bool one = matches_single(s, p, after);
  if (suffix == '?') {
    if (one) {
      if (const char* end = match(s + 1, after + 1)) return end;
    }
    next_s = s;
    next_p = after + 1;
    return nullptr;
  }
  if (!one) return nullptr;
  next_s = s + 1;
  next_p = after;
  return nullptr;
}

const char* PatternMatch::expand(const char* s, const char* p, const char* after) {
  std::ptrdiff_t count = 0;
  while (matches_single(s + count, p, after)) {
    ++count;
    step(cost_of_class(p, after));
  }
  for (; count >= 0; --count) {
    if (const char* end = match(s + count, after + 1)) return end;
  }
  return nullptr;
}

const char* PatternMatch::expand_lazily(const char* s, const char* p, const char* after) {
  while (true) {
    if (const char* end = match(s, after + 1)) return end;
    if (!matches_single(s, p, after)) return nullptr;
    step(cost_of_class(p, after));
    ++s;
  }
}

const char* PatternMatch::start_capture(const char* s, const char* p, std::ptrdiff_t kind) {
  if (level_ >= most_captures) luaL_error(L_, "too many captures");
  captures_[static_cast<std::size_t>(level_)] = {s, kind};
  ++level_;
  const char* end = match(s, p);
  if (!end) --level_;
  return end;
}

const char* PatternMatch::end_capture(const char* s, const char* p) {
  int open = level_ - 1;
  while (open >= 0 && captures_[static_cast<std::size_t>(open)].length != unfinished) --open;
  if (open < 0) luaL_error(L_, "invalid pattern capture");
  Capture& capture = captures_[static_cast<std::size_t>(open)];
  capture.length = s - capture.start;
  const char* end = match(s, p);
  if (!end) capture.length = unfinished;
  return end;
}

const char* PatternMatch::match_balance(const char* s, const char* p) {
  if (p + 1 >= pattern_end_) luaL_error(L_, "malformed pattern (missing arguments to '%%b')");
  if (s >= subject_end_ || *s != p[0]) return nullptr;
  std::size_t depth = 1;
  while (++s < subject_end_) {
    step();
    if (*s == p[1]) {
      if (--depth == 0) return s + 1;
    } else if (*s == p[0]) {
      ++depth;
    }
  }
  return nullptr;
}

const char* PatternMatch::match_back_reference(const char* s, char digit) {
  const int index = digit - '1';
  if (index < 0 || index >= level_ || captures_[static_cast<std::size_t>(index)].length == unfinished) {
    luaL_error(L_, "invalid capture index %%%d", index + 1);
  }
  const Capture& capture = captures_[static_cast<std::size_t>(index)];
  // A position capture has no text to compare with.
  if (capture.length == position || subject_end_ - s < capture.length) return nullptr;
  const auto length = static_cast<std::size_t>(capture.length);
  step(length / 16);
  return std::memcmp(capture.start, s, length) == 0 ? s + length : nullptr;
}

bool PatternMatch::is_at_frontier(const char* s, const char* p, const char* after) {
  const char before = s == subject_.data() ? '\0' : s[-1];
  const char here = s < subject_end_ ? *s : '\0';
  step(static_cast<std::uint64_t>(after - p));
  return !matches_set(before, p, after - 1) && matches_set(here, p, after - 1);
}

const char* PatternMatch::end_of_class(const char* p) {
  const char first = *p++;
  if (first == '%') {
    if (p == pattern_end_) luaL_error(L_, "malformed pattern (ends with '%%')");
    return p + 1;
  }
  if (first != '[') return p;
  if (p < pattern_end_ && *p == '^') ++p;
  // A ']' right after the '[' is a member of the set and does not end it.
  do {
    if (p == pattern_end_) luaL_error(L_, "malformed pattern (missing ']')");
    if (*p++ == '%') {
      if (p == pattern_end_) luaL_error(L_, "malformed pattern (missing ']')");
      ++p;
    }
    step();
  } while (p == pattern_end_ || *p != ']');
  return p + 1;
}

bool PatternMatch::matches_single(const char* s, const char* p, const char* after) const {
  if (s >= subject_end_) return false;
  switch (*p) {
    case '.':
      return true;
    case '%':
      return matches_class(*s, p[1]);
    case '[':
      return matches_set(*s, p, after - 1);
    default:
      return *p == *s;
  }
}

int PatternMatch::push_captures(std::string_view whole) {
  const int count = level_ == 0 ? 1 : level_;
  luaL_checkstack(L_, count, "too many captures");
  for (int i = 0; i < count; ++i) push_capture(i, whole);
  return count;
}

void PatternMatch::push_capture(int index, std::string_view whole) {
  if (index >= level_) {
    if (index != 0) luaL_error(L_, "invalid capture index %%%d", index + 1);
    push(L_, whole);
    return;
  }
  const Capture& capture = captures_[static_cast<std::size_t>(index)];
  if (capture.length == unfinished) luaL_error(L_, "unfinished capture");
  if (capture.length == position) {
    lua_pushinteger(L_, capture.start - subject_.data() + 1);
  } else {
    push(L_, {capture.start, static_cast<std::size_t>(capture.length)});
  }
}

}  // namespace sallyport::lua
