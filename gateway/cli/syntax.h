// How a command declares its options. The parser stands behind it, in command_line.cpp, so that no command sees CLI11.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport::cli {

struct Command;

inline constexpr const char* default_config_file = "/etc/sallyport/sallyport.toml";

struct Option {
  const char* name;   // "--ip"
  const char* value;  // what stands for its value in --help: "ADDRESS"
  const char* about;
  const char* choices = "";  // all words that the value can be, with spaces between
};

// Reads the text of one option. The failure says what was expected; the command line ends with it as a usage error.
using TakeText = std::function<Result<Done>(const std::string& text)>;

// Everything that `to` and `take` refer to must live until the command line is parsed. Only the options that were given
// are taken, in the order of their declaration; of what was not given, the default stays.
class Syntax {
 public:
  virtual ~Syntax() = default;

  // -c FILE. It may stand before the command as well.
  virtual void config_file(std::string& to) = 0;
  // The same, or the file alone, without -c.
  virtual void config_file_or_argument(std::string& to) = 0;
  // Makes `to` what `given` says.
  virtual void flag(const char* name, const char* about, bool& to, bool given = true) = 0;
  virtual void value(const Option& option, TakeText take) = 0;
  // May be given more than once; each text is taken.
  virtual void values(const Option& option, TakeText take) = 0;
  // Stands alone, and may not be missing.
  virtual void argument(const char* name, const char* about, std::string& to) = 0;
  // The same where it may be missing.
  virtual void optional_argument(const char* name, const char* about, std::string& to) = 0;
  // Any number of them, none as well. Who only describes a command need not know the difference.
  virtual void optional_arguments(const char* name, const char* about, std::vector<std::string>& to) {
    optional_argument(name, about, to.emplace_back());
  }

  // All commands of the program, for a command that tells of them.
  virtual std::span<const Command* const> commands() const = 0;

  void value(const Option& option, std::string& to) {
    value(option, [&to](const std::string& text) -> Result<Done> {
      to = text;
      return Done{};
    });
  }
  void json(bool& to) { flag("--json", "For programs", to); }
};

}  // namespace sallyport::cli
