// Looks through the text of a rule file for `sp.<name>` that this version does not have.
//
// Such a name would fail only when the rule runs, perhaps months later on one rare mail; a file that has one shall not
// load. It knows the words of Lua (strings, comments, names), not its grammar: `sp` is whatever name the file gave to
// require "sallyport".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::lua {

// Something wrong with a rule file. `line` and `column` count from 1; 0 is unknown, or the file as a whole. As
// RuleSet::load gives it, `file` has its path, and is empty for what is wrong with the directory.
struct LoadError {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;
  friend bool operator==(const LoadError&, const LoadError&) = default;
};

std::vector<LoadError> check_source(const std::string& file, std::string_view source);

}  // namespace sallyport::lua
