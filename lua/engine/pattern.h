// Lua's patterns (Lua 5.4 manual, 6.4.1), matched at a cost that the meter sees.
//
// The language, limits and error messages are those of Lua's own library. A pattern may take time exponential in its
// length, though, and Lua's matcher runs as one instruction. Here every step is spent from the run's budget, so the
// match ends when the budget does (threats.md L2).
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

  // Subject and pattern must stay where they are. An anchor at the start of the pattern is the caller's to take off.
  PatternMatch(lua_State* L, std::string_view subject, std::string_view pattern);

  // Matches at `from` exactly. Gives the end of the match, or null. A malformed pattern is raised as a Lua error.
  const char* match_at(const char* from);

  // Of the last match: pushes all captures, or `whole` when the pattern has none. Gives how many.
  int push_captures(std::string_view whole);
  // Pushes capture `index` (from 0); of a pattern without captures the first one is `whole`.
  void push_capture(int index, std::string_view whole);
  int captures() const { return level_; }

 private:
  struct Capture {
    const char* start;
    std::ptrdiff_t length;  // or one of the two below
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
