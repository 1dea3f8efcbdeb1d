#include "gateway/cli/lua_command.h"

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/message_file.h"
#include "gateway/cli/rule_folders.h"
#include "lua/trial/shell.h"
#include "policies/policy_list.h"

namespace sallyport::cli {
namespace {

constexpr std::size_t most_code_octets = 1u << 20;

struct LuaOptions {
  std::string path;
  std::string config_file = default_config_file;
  std::string mail;
  explain::GivenEnvelope given;
  std::vector<std::string> code;
};

void declare(Syntax& syntax, LuaOptions& options) {
  syntax.optional_argument("PATH", "A directory of rules, for require and t.run; else that of the configuration",
                           options.path);
  syntax.config_file(options.config_file);
  syntax.value({"--mail", "FILE", "A stored message that tx is; else it is an invented one"}, options.mail);
  declare_envelope(syntax, options.given);
  syntax.values({"-e", "CODE", "Execute this instead of standard input; may be given again"},
                [&](const std::string& text) -> Result<Done> {
                  options.code.push_back(text);
                  return Done{};
                });
}

MailAddress address_of(const std::string& address) {
  if (address.empty()) return {};
  const std::size_t at = address.rfind('@');
  return {address.substr(0, at), at == address.npos ? std::string() : text::to_lower(address.substr(at + 1))};
}

// The mail that tx is. Nothing: an error has been printed, and `exit` is the exit status.
std::optional<lua::TrialMail> make_mail(const LuaOptions& options, const config::Settings& settings,
                                        const Console& console, int& exit) {
  lua::TrialMail trial = lua::ordinary_mail();
  explain::GivenEnvelope given = options.given;
  if (!options.mail.empty()) {
    auto message = read_message_file(options.mail, settings.limits.message_size + 1, console, exit);
    if (!message) return {};
    trial.content = std::move(message->content);
    const explain::Envelope found = explain::make_envelope(given, trial.content, settings);
    given.ip = found.ip;
    given.helo = found.helo;
    given.from = found.from;
    // Without a configuration no domain is ours, so that the message tells of no recipient.
    if (!settings.tenants.empty()) given.to = found.to;
  }
  policies::Client& client = trial.mail.client;
  if (given.ip) client.ip = *given.ip;
  if (!given.helo.empty()) client.helo = given.helo;
  if (given.tls) client.tls = policies::presumed_tls();
  if (given.from) trial.mail.from = address_of(*given.from);
  if (!given.to.empty()) trial.rcpts.clear();
  for (const std::string& to : given.to) trial.rcpts.push_back(address_of(to));
  return trial;
}

class Session {
 public:
  Session(lua::Shell& shell, const Console& console) : shell_(shell), console_(console) {}

  // A line, or the next one of a text that goes on.
  void take(const std::string& line) {
    code_ += (code_.empty() ? "" : "\n") + line;
    const lua::Shell::Answer answer = shell_.execute(code_);
    using Kind = lua::Shell::Answer::Kind;
    if (answer.kind == Kind::unfinished && code_.size() <= most_code_octets) {
      problem_ = answer.error;
      return;
    }
    code_.clear();
    console_.out << answer.text << std::flush;
    if (answer.kind == Kind::done) return;
    console_.err << answer.error << "\n" << std::flush;
    has_failed_ = true;
  }
  // The text is over.
  void end() {
    if (!is_unfinished()) return;
    console_.err << problem_ << "\n";
    code_.clear();
    has_failed_ = true;
  }
  bool is_unfinished() const { return !code_.empty(); }
  bool has_failed() const { return has_failed_; }

 private:
  lua::Shell& shell_;
  const Console& console_;
  std::string code_;     // that goes on in the next line
  std::string problem_;  // what is wrong with it if it does not
  bool has_failed_ = false;
};

int run_session(const LuaOptions& options, lua::Shell& shell, const Console& console) {
  Session session(shell, console);
  for (const std::string& code : options.code) {
    session.take(code);
    session.end();
  }
  const bool is_interactive = options.code.empty() && ::isatty(STDIN_FILENO) == 1;
  if (is_interactive) console.out << "sp, t, tx, print, use(t.mail { ... }); Ctrl-D ends.\n";
  std::string line;
  while (options.code.empty()) {
    if (is_interactive) console.out << (session.is_unfinished() ? ">> " : "> ") << std::flush;
    if (!std::getline(std::cin, line)) break;
    session.take(line);
  }
  session.end();
  if (is_interactive) console.out << "\n";
  return session.has_failed() && !is_interactive ? exit_code::not_passed : exit_code::ok;
}

int run_lua(const LuaOptions& options, const Console& console) {
  auto settings = std::make_shared<const config::Settings>();
  lua::RuleSettings rules;
  std::error_code error;
  // The default one need not exist.
  if (options.config_file != default_config_file || std::filesystem::exists(options.config_file, error)) {
    const auto loaded = load_configuration(options.config_file, console);
    if (!loaded) return exit_code::configuration;
    settings = loaded->settings;
    rules = settings->policy.of(lua::rules_section);
  }
  int exit = exit_code::ok;
  if (!options.path.empty()) {
    const auto folders = rule_folders(options.path, options.config_file, console, exit);
    if (!folders) return exit;
    rules = folders->front().settings;
  }
  auto mail = make_mail(options, *settings, console, exit);
  if (!mail) return exit;
  lua::Shell shell(rules, policies::policy_names(), std::move(*mail));
  if (!shell.load_errors().empty()) {
    print_load_errors(shell.load_errors(), console);
    console.err << "sallyport: going on without rules\n";
  }
  return run_session(options, shell, console);
}

}  // namespace

const Command lua_entry{"lua", "Lua as rules have it, line by line, with an invented or a stored mail",
                        make_invocation<LuaOptions, declare, run_lua>};

}  // namespace sallyport::cli
