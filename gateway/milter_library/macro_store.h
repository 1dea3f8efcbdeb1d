// MacroStore: the macros that the MTA has sent on one connection.
//
// A stage's macros replace those that the stage had before, and stay until the stage, or one before it, is told again.
// A value found stays where it is just as long: a filter may keep the pointer.
#pragma once

#include <array>
#include <string_view>

#include "gateway/milter/protocol.h"
#include "gateway/milter_library/macro_set.h"

namespace sallyport::milter_library {

class MacroStore {
 public:
  // The stage whose macros come for commands of that kind, numbered in the order in which the stages happen.
  static int stage_of(milter::Verb verb);  // -1: none

  // `pairs`: names and values, each ended by NUL. What is cut off at its end is left out.
  void set(int stage, std::string_view pairs);
  void clear_from(int stage);
  // Looks at the latest stage first. `x` and `{x}` are the same name. Null when there is none. The text belongs to the
  // store; a C caller gets it as char*, so it is not const.
  char* find(std::string_view name);

 private:
  std::array<MacroSet, milter::macro_stages> sets_;
};

}  // namespace sallyport::milter_library
