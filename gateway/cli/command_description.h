// What a command takes, as plain values: for manual pages and shells' completion, which are made of it and so never say
// anything else than the command line does.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct DescribedOption {
  std::string name;   // "--ip"
  std::string value;  // what stands for its value; empty: a flag
  std::string about;
  bool repeats = false;
};

struct DescribedArgument {
  std::string name;
  std::string about;
  bool is_optional = false;
};

struct CommandDescription {
  std::string name;  // "check", "config show"
  std::string about;
  bool reads_configuration = false;  // takes -c FILE and means it
  std::vector<DescribedOption> options;
  std::vector<DescribedArgument> arguments;

  // Of a command of two words the first; else empty.
  std::string group() const;
  // The last word.
  std::string word() const;
};

std::vector<CommandDescription> describe(std::span<const Command* const> commands);

}  // namespace sallyport::cli
