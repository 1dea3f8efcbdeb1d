// References into the registry of a Lua state, for headers that do not include Lua's own.
#pragma once

namespace sallyport::lua {

inline constexpr int no_reference = -2;  // LUA_NOREF

// A local variable of a rule file that its functions use, and the value it had after loading. RuleSet restores that
// value after each run. `function` and `value` are registry references; `number` is the upvalue's index, from 1.
struct Upvalue {
  int function = no_reference;
  int value = no_reference;
  int number = 0;
};

}  // namespace sallyport::lua
