// Searches the text of a rule file for uses of `sp.<name>` that this version does not have.
//
// Without this check such a name would fail only when its line runs, perhaps months later on one rare mail; with it,
// the file does not load. The search knows Lua's tokens (strings, comments, names) but not its grammar: `sp` is any
// local or global name to which the file assigns require "sallyport".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::lua {

// An error in a rule file. `line` and `column` count from 1; 0 means unknown, or the file as a whole. In the result of
// RuleSet::load, `file` includes the directory, and is empty when the directory itself cannot be read.
struct LoadError {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;
  friend bool operator==(const LoadError&, const LoadError&) = default;
};

std::vector<LoadError> check_source(const std::string& file, std::string_view source);

}  // namespace sallyport::lua
