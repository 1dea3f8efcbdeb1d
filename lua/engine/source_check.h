// Searches the text of a rule file for names that this version does not have: functions of `sp` and of the libraries in
// it, fields of `tx` and of what is reached through it, checks in sp.accept{ skip = { "..." } } and
// sp.override{ check = "..." }, and upstreams in sp.redirect{ upstream = "..." }.
//
// Without this search such a name would fail only when its line runs, perhaps months later on one rare mail; with it,
// the file does not load. It knows Lua's tokens (strings, comments, names) and where a function ends, but not the rest
// of its grammar. `sp` is any name to which the file assigns require "sallyport", and a name to which it assigns a
// library of that; `tx` is the parameter of a function that sp.rule{ run = } names or contains, unless that function
// declares or assigns its name again. What only a run can know (tx[name], a field of a variable) is left to the run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lua/engine/known_names.h"

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

// In the order of the text.
std::vector<LoadError> check_source(const std::string& file, std::string_view source,
                                    const KnownNames& checks = KnownNames("check"),
                                    const KnownNames& upstreams = KnownNames("upstream"));

}  // namespace sallyport::lua
