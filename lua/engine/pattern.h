// Lua's patterns (Lua 5.4 manual, 6.4.1), matched so that the meter sees the cost.
//
// The pattern language, its limits and error messages are those of Lua's own library. Some patterns take time
// exponential in their length, and Lua's own matcher runs as a single instruction that nothing can stop. Here every
// step is charged to the run's budget, so the match stops when the budget is used up (threats.md L2).
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "lua/engine/lua_api.h"
#include "lua/engine/meter.h"

namespace sallyport::lua {

class PatternMatch {
 public:
  static constexpr int most_captures = 32;

  // `subject` and `pattern` must outlive this object. The caller removes a '^' at the start of the pattern, and then
  // tries only the first position.
  PatternMatch(lua_State* L, std::string_view subject, std::string_view pattern);

  // Tries to match at exactly `from`, a place in the subject. Returns the end of the match, or null when there is none.
  // Raises a Lua error for a malformed pattern and when the budget is used up.
  const char* match_at(const char* from);

  // Pushes all captures of the last match, or `whole` when the pattern has none. Returns how many values were pushed.
  int push_captures(std::string_view whole);
  // Pushes capture `index` (counted from 0) of the last match. In a pattern without captures, capture 0 is `whole`.
  void push_capture(int index, std::string_view whole);
  int captures() const { return level_; }

 private:
  struct Capture {
    const char* start;
    std::ptrdiff_t length;  // in octets, or `unfinished`, or `position`
  };
  static constexpr std::ptrdiff_t unfinished = -1;
  static constexpr std::ptrdiff_t position = -2;

  class Nesting;

  const char* match(const char* s, const char* p);
  const char* match_default(const char* s, const char* p, const char*& next_s, const char*& next_p);
  const char* expand(const char* s, const char* p, const char* after);
  const char* expand_lazily(const char* s, const char* p, const char* after);
  const char* start_capture(const char* s, const char* p, std::ptrdiff_t kind);
  const char* end_capture(const char* s, const char* p);
  const char* match_balance(const char* s, const char* p);
  const char* match_back_reference(const char* s, char digit);
  bool is_at_frontier(const char* s, const char* p, const char* after);

  const char* end_of_class(const char* p);
  bool matches_single(const char* s, const char* p, const char* after) const;
  void step(std::uint64_t steps = 1) {
    unspent_ += steps;
    if (unspent_ >= steps_at_once) spend();
  }
  void spend();

  static constexpr std::uint64_t steps_at_once = 256;

  lua_State* L_;
  std::string_view subject_;
  std::string_view pattern_;
  const char* subject_end_;
  const char* pattern_end_;
  int level_ = 0;
  int nesting_ = 0;
  std::uint64_t unspent_ = 0;
  std::array<Capture, most_captures> captures_;
};

}  // namespace sallyport::lua
