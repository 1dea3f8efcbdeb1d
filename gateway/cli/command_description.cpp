#include "gateway/cli/command_description.h"

namespace sallyport::cli {
namespace {

// Writes down what a command declares; nothing is parsed.
class Describing final : public Syntax {
 public:
  Describing(CommandDescription& to, std::span<const Command* const> all) : to_(to), all_(all) {}

  void config_file(std::string&) override { to_.reads_configuration = true; }
  void config_file_or_argument(std::string&) override {
    to_.reads_configuration = true;
    to_.arguments.push_back({"FILE", "The configuration file, the same as with -c", true});
  }
  void flag(const char* name, const char* about, bool&, bool) override {
    to_.options.push_back({name, {}, about, false, {}});
  }
  using Syntax::value;
  void value(const Option& option, TakeText) override {
    to_.options.push_back({option.name, option.value, option.about, false, option.choices});
  }
  void values(const Option& option, TakeText) override {
    to_.options.push_back({option.name, option.value, option.about, true, option.choices});
  }
  void argument(const char* name, const char* about, std::string&) override { to_.arguments.push_back({name, about}); }
  void optional_argument(const char* name, const char* about, std::string&) override {
    to_.arguments.push_back({name, about, true});
  }
  std::span<const Command* const> commands() const override { return all_; }

 private:
  CommandDescription& to_;
  const std::span<const Command* const> all_;
};

}  // namespace

std::string CommandDescription::group() const {
  const std::size_t space = name.find(' ');
  return space == name.npos ? std::string() : name.substr(0, space);
}

std::string CommandDescription::word() const {
  const std::size_t space = name.find(' ');
  return space == name.npos ? name : name.substr(space + 1);
}

std::vector<CommandDescription> describe(std::span<const Command* const> commands) {
  std::vector<CommandDescription> descriptions;
  descriptions.reserve(commands.size());
  for (const Command* command : commands) {
    CommandDescription& description = descriptions.emplace_back();
    description.name = command->name;
    description.about = command->about;
    Describing describing(description, commands);
    command->make(describing);
  }
  return descriptions;
}

}  // namespace sallyport::cli
