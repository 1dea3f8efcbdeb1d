// One rule, as declared by sp.rule and kept by the rule set.
#pragma once

#include <string>
#include <vector>

#include "lua/engine/settings.h"
#include "lua/engine/upvalue.h"
#include "policies/api/stage.h"

namespace sallyport::lua {

struct Rule {
  std::string name;
  policies::Stage stage = policies::Stage::message;
  double score = 0;  // of its symbol: what `true` and a hit without a score count
  policies::Mode mode = policies::Mode::enforce;
  OnError on_error = OnError::tempfail;
  std::string file;  // within the rule path
  int line = 0;      // of the declaration

  std::size_t file_index = 0;     // in the rule set
  int run = no_reference;         // the function, in the registry
  std::vector<Upvalue> upvalues;  // put back after each run
};

}  // namespace sallyport::lua
