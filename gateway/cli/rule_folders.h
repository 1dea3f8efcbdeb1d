// Which directories of rules a `rule` command works on: the one that was named, else those of the configuration.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/cli/command.h"
#include "lua/engine/rule_set.h"

namespace sallyport::cli {

struct RuleFolder {
  std::string tenant;  // whose own it is; empty: everybody's
  lua::RuleSettings settings;
};

// `named` is the directory that was named, or empty for those of the configuration; where there is none at its default
// place either, the current directory is meant. A directory has the settings of the configuration where it is the
// configuration's, else their defaults; the configuration need not exist then. Nothing: an error has been printed, and
// `exit` is the exit status.
std::optional<std::vector<RuleFolder>> rule_folders(const std::string& named, const std::string& config_file,
                                                    const Console& console, int& exit);

// Prints what is wrong with rules, one line each.
void print_load_errors(const std::vector<lua::LoadError>& errors, const Console& console);

}  // namespace sallyport::cli
