// The table library: behaves as Lua's, but charges the meter for every element. Lua's own functions would accept a
// __len of 2^53 and loop that many times without executing an instruction that the hook could count.
#include <algorithm>
#include <string>

#include "lua/engine/context.h"
#include "lua/engine/libraries.h"

namespace sallyport::lua {

namespace {

constexpr std::uint64_t octets_compared_per_step = 16;

lua_Integer check_length(lua_State* L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  return luaL_len(L, index);
}

void spend_one(lua_State* L) { Context::of(L).meter.spend(L, 1); }

int insert(lua_State* L) {
  const lua_Integer end = static_cast<lua_Integer>(static_cast<lua_Unsigned>(check_length(L, 1)) + 1);
  const int arguments = lua_gettop(L);
  if (arguments != 2 && arguments != 3) return luaL_error(L, "wrong number of arguments to 'insert'");
  lua_Integer position = end;
  if (arguments == 3) {
    position = luaL_checkinteger(L, 2);
    luaL_argcheck(L, position >= 1 && position <= end, 2, "position out of bounds");
    for (lua_Integer i = end; i > position; --i) {
      spend_one(L);
      lua_geti(L, 1, i - 1);
      lua_seti(L, 1, i);
    }
  }
  lua_seti(L, 1, position);
  return 0;
}

int remove(lua_State* L) {
  const lua_Integer length = check_length(L, 1);
  lua_Integer position = luaL_optinteger(L, 2, length);
  if (lua_gettop(L) > 1) {
    const lua_Unsigned offset = static_cast<lua_Unsigned>(position) - 1;
    luaL_argcheck(L, position == length || offset <= static_cast<lua_Unsigned>(length), 2, "position out of bounds");
  }
  lua_geti(L, 1, position);
  for (; position < length; ++position) {
    spend_one(L);
    lua_geti(L, 1, position + 1);
    lua_seti(L, 1, position);
  }
  lua_pushnil(L);
  lua_seti(L, 1, position);
  return 1;
}

int move(lua_State* L) {
  const lua_Integer first = luaL_checkinteger(L, 2);
  const lua_Integer last = luaL_checkinteger(L, 3);
  const lua_Integer to = luaL_checkinteger(L, 4);
  const int target = lua_isnoneornil(L, 5) ? 1 : 5;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, target, LUA_TTABLE);
  if (last >= first) {
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    const lua_Integer count = last - first + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
    // When the ranges overlap, copies from the end that keeps unread elements from being overwritten.
    const bool forwards = to > last || to <= first || (target != 1 && !lua_compare(L, 1, target, LUA_OPEQ));
    for (lua_Integer i = 0; i < count; ++i) {
      const lua_Integer offset = forwards ? i : count - 1 - i;
      spend_one(L);
      lua_geti(L, 1, first + offset);
      lua_seti(L, target, to + offset);
    }
  }
  lua_pushvalue(L, target);
  return 1;
}

int concat(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const std::string_view separator = lua_isnoneornil(L, 2) ? std::string_view() : check_text(L, 2);
  const lua_Integer first = luaL_optinteger(L, 3, 1);
  const lua_Integer last = lua_isnoneornil(L, 4) ? luaL_len(L, 1) : luaL_checkinteger(L, 4);
  Meter& meter = Context::of(L).meter;
  std::string result;
  for (lua_Integer i = first; i <= last; ++i) {
    lua_geti(L, 1, i);
    if (!lua_isstring(L, -1)) {
      return luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1), i);
    }
    const std::string_view text = to_text(L, -1);
    spend_one(L);
    meter.claim(L, result.size() + text.size() + separator.size());
    result += text;
    lua_pop(L, 1);
    if (i == last) break;  // adding 1 to the largest integer would overflow
    result += separator;
  }
  push(L, result);
  return 1;
}

int pack(lua_State* L) {
  const int count = lua_gettop(L);
  lua_createtable(L, count, 1);
  lua_insert(L, 1);
  for (int i = count; i >= 1; --i) lua_seti(L, 1, i);
  lua_pushinteger(L, count);
  lua_setfield(L, 1, "n");
  return 1;
}

int unpack(lua_State* L) {
  const lua_Integer first = luaL_optinteger(L, 2, 1);
  const lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
  if (first > last) return 0;
  const lua_Unsigned count = static_cast<lua_Unsigned>(last) - static_cast<lua_Unsigned>(first);
  constexpr lua_Unsigned most_results = 100'000;
  if (count >= most_results || !lua_checkstack(L, static_cast<int>(count) + 1)) {
    return luaL_error(L, "too many results to unpack");
  }
  for (lua_Unsigned i = 0; i <= count; ++i) {
    spend_one(L);
    lua_geti(L, 1, first + static_cast<lua_Integer>(i));
  }
  return static_cast<int>(count) + 1;
}

// Heap sort: it stays within bounds whatever the comparison function returns, and needs at most n log n comparisons.
class Sorter {
 public:
  Sorter(lua_State* L, bool has_order) : L_(L), has_order_(has_order) {}

  void sort(lua_Integer length) {
    for (lua_Integer root = length / 2; root >= 1; --root) sift_down(root, length);
    for (lua_Integer last = length; last > 1; --last) {
      swap(1, last);
      sift_down(1, last - 1);
    }
  }

 private:
  void sift_down(lua_Integer root, lua_Integer last) {
    while (root <= last / 2) {
      lua_Integer child = root * 2;
      if (child < last && is_less(child, child + 1)) ++child;
      if (!is_less(root, child)) return;
      swap(root, child);
      root = child;
    }
  }

  bool is_less(lua_Integer a, lua_Integer b) {
    if (has_order_) lua_pushvalue(L_, 2);
    lua_geti(L_, 1, a);
    lua_geti(L_, 1, b);
    bool less = false;
    if (has_order_) {
      spend_one(L_);
      lua_call(L_, 2, 1);
      less = lua_toboolean(L_, -1);
      lua_pop(L_, 1);
    } else {
      Context::of(L_).meter.spend(L_, 1 + length_compared() / octets_compared_per_step);
      less = lua_compare(L_, -2, -1, LUA_OPLT);
      lua_pop(L_, 2);
    }
    return less;
  }

  std::uint64_t length_compared() const {
    return is_text(L_, -1) && is_text(L_, -2) ? std::min(lua_rawlen(L_, -1), lua_rawlen(L_, -2)) : 0;
  }

  void swap(lua_Integer a, lua_Integer b) {
    lua_geti(L_, 1, a);
    lua_geti(L_, 1, b);
    lua_seti(L_, 1, a);
    lua_seti(L_, 1, b);
  }

  lua_State* L_;
  bool has_order_;
};

int sort(lua_State* L) {
  const lua_Integer length = check_length(L, 1);
  if (length < 2) return 0;
  const bool has_order = !lua_isnoneornil(L, 2);
  if (has_order) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  Sorter(L, has_order).sort(length);
  return 0;
}

}  // namespace

void push_table_library(lua_State* L) {
  static const luaL_Reg functions[] = {
      {"concat", guarded<concat>}, {"insert", guarded<insert>}, {"move", guarded<move>},     {"pack", guarded<pack>},
      {"remove", guarded<remove>}, {"sort", guarded<sort>},     {"unpack", guarded<unpack>}, {nullptr, nullptr},
  };
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
}

}  // namespace sallyport::lua
