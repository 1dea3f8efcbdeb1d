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
  std::string choices;  // all words that its value can be, with spaces between; empty: it is no such option

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("value", value);
    visit("about", about);
    visit("repeats", repeats);
    visit("choices", choices);
  }
};

struct DescribedArgument {
  std::string name;
  std::string about;
  bool is_optional = false;

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("about", about);
    visit("is_optional", is_optional);
  }
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

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("about", about);
    visit("reads_configuration", reads_configuration);
    visit("options", options);
    visit("arguments", arguments);
  }
};

std::vector<CommandDescription> describe(std::span<const Command* const> commands);

}  // namespace sallyport::cli
