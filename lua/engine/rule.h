// One rule, as sp.rule has declared it. RuleSet keeps it; references are into the registry of that set's state.
#pragma once

#include <string>
#include <vector>

#include "lua/engine/settings.h"
#include "lua/engine/upvalue.h"
#include "policies/api/stage.h"

namespace sallyport::lua {

// The largest score, either way, that a rule may give.
inline constexpr double most_score = 1000;

struct Rule {
  std::string name;
  policies::Stage stage = policies::Stage::message;
  double score = 0;                       // counted when the rule returns true, or a hit without a score
  RuleMode mode;                          // as the settings or the rule itself say
  std::string group;                      // empty: none
  OnError on_error = OnError::automatic;  // never that when loading has ended
  std::string file;                       // file name, without the directory
  int line = 0;                           // where sp.rule was called

  std::size_t file_index = 0;     // index into the files of the rule set
  int run = no_reference;         // reference to the function
  std::vector<Upvalue> upvalues;  // their values are restored after each run
};

}  // namespace sallyport::lua
