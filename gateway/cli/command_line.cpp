// The only door to CLI11.
#include "gateway/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/base/version.h"
#include "gateway/cli/command_list.h"
#include "gateway/cli/exit_code.h"

namespace sallyport::cli {
namespace {

CLI::Option* add_config_file(CLI::App& app, std::string& to) {
  return app.add_option("-c,--config", to, "The configuration file")->type_name("FILE")->capture_default_str();
}

// One command on the parser: what it declares, and what of it was given.
class Parsed final : public Syntax {
 public:
  Parsed(CLI::App& app, const Command& command, std::span<const Command* const> all)
      : app_(app), all_(all), invocation_(command.make(*this)) {
    // Every command takes -c, and says so in its --help, so that one habit serves for all.
    if (config_file_ == nullptr) {
      config_options_.push_back(
          app_.add_option("-c,--config", unused_file_, "The configuration file; this command reads none")
              ->type_name("FILE"));
    }
  }

  void config_file(std::string& to) override {
    config_file_ = &to;
    config_options_.push_back(add_config_file(app_, to));
  }
  void config_file_or_argument(std::string& to) override {
    config_file(to);
    config_options_.push_back(app_.add_option("FILE", to, "The same without -c"));
  }
  void flag(const char* name, const char* about, bool& to, bool given) override {
    app_.add_flag_callback(
        name, [&to, given] { to = given; }, about);
  }
  using Syntax::value;
  void value(const Option& option, TakeText take) override {
    const auto later = [](const CLI::results_t&) { return true; };
    texts_.push_back({app_.add_option(option.name, later, option.about)->type_name(option.value), std::move(take)});
  }
  void values(const Option& option, TakeText take) override {
    const auto later = [](const std::vector<std::string>&) {};
    CLI::Option* added = app_.add_option_function<std::vector<std::string>>(option.name, later, option.about);
    texts_.push_back({added->type_name(option.value)->allow_extra_args(false), std::move(take)});
  }
  void argument(const char* name, const char* about, std::string& to) override {
    app_.add_option(name, to, about)->required();
  }
  void optional_argument(const char* name, const char* about, std::string& to) override {
    app_.add_option(name, to, about);
  }
  void optional_arguments(const char* name, const char* about, std::vector<std::string>& to) override {
    app_.add_option(name, to, about);
  }

  std::span<const Command* const> commands() const override { return all_; }

  bool is_meant() const { return app_.parsed(); }

  // Fills the options in. `early` are those for a -c that stands before the command, `early_file` is its file. CLI11
  // throws what is wrong.
  std::unique_ptr<Invocation> finish(const std::vector<CLI::Option*>& early, const std::string& early_file) {
    std::size_t files = 0;
    for (const CLI::Option* option : early) files += option->count();
    const bool is_early = files > 0;
    for (const CLI::Option* option : config_options_) files += option->count();
    if (files > 1) throw CLI::ValidationError("--config", "the configuration file is given twice");
    if (is_early && config_file_ != nullptr) *config_file_ = early_file;
    for (const Text& text : texts_) {
      for (const std::string& given : text.option->results()) {
        const auto taken = text.take(given);
        if (!taken) throw CLI::ValidationError(text.option->get_name(), taken.error().message);
      }
    }
    return std::move(invocation_);
  }

 private:
  struct Text {
    CLI::Option* option;
    TakeText take;
  };
  CLI::App& app_;
  const std::span<const Command* const> all_;
  std::vector<CLI::Option*> config_options_;
  std::string* config_file_ = nullptr;  // of the invocation's options; null: the command reads no configuration
  std::string unused_file_;
  std::vector<Text> texts_;
  std::unique_ptr<Invocation> invocation_;
};

// Everything the parser writes to, and the parser.
class Parser {
 public:
  explicit Parser(std::span<const Command* const> commands) : app_("Sallyport, an SMTP security gateway", "sallyport") {
    app_.set_version_flag("--version", "sallyport " + std::string(version()));
    early_options_.push_back(add_config_file(app_, config_file_));
    app_.require_subcommand(1);
    for (const Command* command : commands)
      parsed_.push_back(std::make_unique<Parsed>(add(command->name, command->about), *command, commands));
  }

  // CLI11 throws what it finds wrong.
  std::unique_ptr<Invocation> parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // as it wants them
    app_.parse(arguments);
    const auto meant = std::find_if(parsed_.begin(), parsed_.end(), [](const auto& one) { return one->is_meant(); });
    ensure(meant != parsed_.end(), "command line: parsed, and no command is meant");
    return (*meant)->finish(early_options_, config_file_);
  }

  // The help of the command that was named, or of the program.
  std::string help() const { return app_.help(); }

  // Those of the command that was named, or of the program.
  std::vector<std::string> option_names() const {
    const CLI::App* command = &app_;
    while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
    std::vector<std::string> names;
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
  }

  std::vector<std::string> command_names() const {
    std::vector<std::string> names;
    for (const CLI::App* command : app_.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(command->get_name());
    return names;
  }

 private:
  CLI::App& add(std::string_view name, const char* about) {
    const std::size_t space = name.find(' ');
    if (space == name.npos) return add(app_, name, about);
    const std::string group(name.substr(0, space));
    CLI::App*& parent = groups_[group];
    if (parent == nullptr) {
      parent = &add(app_, group, group_about(group));
      parent->require_subcommand(1);
      early_options_.push_back(add_config_file(*parent, config_file_));
    }
    return add(*parent, name.substr(space + 1), about);
  }
  static CLI::App& add(CLI::App& to, std::string_view name, std::string_view about) {
    CLI::App* command = to.add_subcommand(std::string(name), std::string(about));
    command->fallthrough();  // so that -c may stand behind a group, and behind a command that has no use for it
    return *command;
  }

  std::string config_file_ = default_config_file;
  CLI::App app_;
  std::vector<CLI::Option*> early_options_;  // -c before the command: of the program, and of each group
  std::map<std::string, CLI::App*> groups_;
  std::vector<std::unique_ptr<Parsed>> parsed_;
};

// A word where a command should stand and none is.
std::string unknown_command(const std::vector<std::string>& arguments, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "-c" || word == "--config") {
      ++i;
    } else if (!word.starts_with('-')) {
      return std::find(names.begin(), names.end(), word) == names.end() ? word : std::string();
    }
  }
  return {};
}

// What CLI11 says of an option that is given again, or that the command has not, in words.
std::string plain(const std::string& what, const std::vector<std::string>& options) {
  constexpr std::string_view unexpected = " not expected: ";
  if (const std::size_t again = what.find(": At Most 1 required but received"); again != what.npos)
    return what.substr(0, again) + " is given more than once";
  const std::size_t at = what.find(unexpected);
  if (at == what.npos) return what;
  std::string_view rest = std::string_view(what).substr(at + unexpected.size());
  // It names an option's value before the option.
  std::string word(text::take_word(rest));
  for (std::string_view more = text::take_word(rest); !more.empty(); more = text::take_word(rest)) {
    if (!word.starts_with("--")) word = more;
  }
  std::string message = "there is no place for \"" + word + "\" here";
  const std::string_view meant = word.starts_with("--") ? text::did_you_mean(word, options) : std::string_view();
  if (!meant.empty()) message.append("; did you mean \"").append(meant).append("\"?");
  return message;
}

Leave usage_error(const std::string& what) {
  return {exit_code::usage, "sallyport: " + what + "\nsallyport --help lists the commands and options\n"};
}

}  // namespace

std::variant<std::unique_ptr<Invocation>, Leave> parse_command_line(const std::vector<std::string>& arguments,
                                                                    std::span<const Command* const> commands) {
  Parser parser(commands);
  try {
    return parser.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    return Leave{exit_code::ok, parser.help()};
  } catch (const CLI::CallForVersion& version) {
    return Leave{exit_code::ok, std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> names = parser.command_names();
    const std::string word = unknown_command(arguments, names);
    if (word.empty()) return usage_error(plain(error.what(), parser.option_names()));
    std::string message = "unknown command \"" + word + "\"";
    const std::string_view meant = text::did_you_mean(word, names);
    if (!meant.empty()) message.append("; did you mean \"").append(meant).append("\"?");
    return usage_error(message);
  }
}

}  // namespace sallyport::cli
