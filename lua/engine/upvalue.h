// References into a Lua state's registry, for headers that do not see Lua's own.
#pragma once

namespace sallyport::lua {

inline constexpr int no_reference = -2;  // LUA_NOREF

// An upvalue of a function, and what it was when the file had been loaded: a local of a file that functions below it
// use.
struct Upvalue {
  int function = no_reference;
  int value = no_reference;
  int number = 0;
};

}  // namespace sallyport::lua
