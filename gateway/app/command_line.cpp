#include "gateway/app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "gateway/app/dmarc_reporter.h"
#include "gateway/app/exit_code.h"
#include "gateway/app/version.h"
#include "gateway/base/regex.h"
#include "gateway/base/text.h"
#include "gateway/smtp/command.h"
#include "gateway/smtp/path.h"

namespace sallyport::app {
namespace {

// Options whose text has to be read before it is an option.
struct SinkTexts {
  std::string listen;
  std::string max_size;
  std::string delay;
};

struct ExplainTexts {
  std::string ip;
  std::string from;
};

// An address as in an envelope, with or without <>, in canonical form.
std::string read_address(const std::string& option, std::string_view text, smtp::PathKind kind) {
  std::string path = text.starts_with('<') ? std::string(text) : "<" + std::string(text) + ">";
  const auto parsed = smtp::parse_path(path, kind, true);
  if (!parsed || !parsed->rest.empty()) throw CLI::ValidationError(option, "expected an address like ann@example.org");
  return parsed->path.to_string();
}

// Everything the parser writes to, and the parser.
class Parser {
 public:
  Parser() : app_("Sallyport, an SMTP security gateway", "sallyport") {
    app_.set_version_flag("--version", "sallyport " + std::string(version()));
    app_.add_option("-c,--config", config_file_, "The configuration file")->type_name("FILE")->capture_default_str();
    app_.require_subcommand(1);
    run_ = add("run", "Serve in the foreground");
    check_ = add("check", "Check the whole configuration and everything it names");
    add_json(check_);
    CLI::App* config = add("config", "Look at the configuration");
    config->require_subcommand(1);
    show_ = add(config, "show", "All effective values and where each comes from");
    add_json(show_);
    config_explain_ = add(config, "explain", "What one key, or all of a section, means");
    config_explain_->add_option("KEY", key_, "A key such as limits.hops, or a section such as limits")->required();
    schema_ = add(config, "schema", "The JSON Schema of the configuration");
    stats_ = add("stats", "The counters of the running daemon");
    add_json(stats_);
    add_explain();
    CLI::App* dmarc = add("dmarc", "Aggregate reports to the domains that ask for them");
    dmarc->require_subcommand(1);
    dmarc_report_ = add(dmarc, "report", "Send the reports of a day; once a day, after midnight UTC");
    dmarc_report_->add_option("--day", dmarc_reports_.day, "The day to report on, in UTC [yesterday]")
        ->type_name("YYYY-MM-DD");
    dmarc_report_->add_flag("--dry-run", dmarc_reports_.dry_run, "Only show what would go where");
    add_sink();
  }

  // CLI11 throws what it finds wrong.
  Command parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // as it wants them
    app_.parse(arguments);
    if (run_->parsed()) return RunOptions{config_file_};
    if (check_->parsed()) return CheckOptions{config_file_, json_};
    if (show_->parsed()) return ConfigShowOptions{config_file_, json_};
    if (config_explain_->parsed()) return ConfigExplainOptions{config_file_, key_};
    if (schema_->parsed()) return ConfigSchemaOptions{};
    if (stats_->parsed()) return StatsOptions{config_file_, json_};
    if (explain_->parsed()) return explain_options();
    if (dmarc_report_->parsed()) return dmarc_report_options();
    return sink_options();
  }

  // The help of the command that was named, or of the program.
  std::string help() const { return app_.help(); }

  std::vector<std::string> command_names() const {
    std::vector<std::string> names;
    for (const CLI::App* command : app_.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(command->get_name());
    return names;
  }

 private:
  static CLI::App* add(CLI::App* to, const char* name, const char* what) {
    CLI::App* command = to->add_subcommand(name, what);
    command->fallthrough();  // so that -c may stand behind the command
    return command;
  }
  CLI::App* add(const char* name, const char* what) { return add(&app_, name, what); }
  void add_json(CLI::App* command) { command->add_flag("--json", json_, "For programs"); }

  void add_explain() {
    explain_ = add("explain", "What the checks say of a stored message; nothing is relayed, no rate is counted");
    explain_->add_option("MESSAGE", explains_.message, "A file; - is standard input")->required();
    explain_->add_option("--ip", explain_texts_.ip, "The client's address")->type_name("ADDRESS");
    explain_->add_option("--helo", explains_.helo, "The client's HELO name")->type_name("NAME");
    from_ =
        explain_->add_option("--from", explain_texts_.from, "The sender; '' is the null sender")->type_name("ADDRESS");
    explain_->add_option("--to", explains_.to, "A recipient; may be given again")
        ->type_name("ADDRESS")
        ->allow_extra_args(false);
    explain_->add_flag("--tls", explains_.tls, "As if the client had come through TLS");
    add_json(explain_);
  }

  ExplainOptions explain_options() const {
    ExplainOptions options = explains_;
    options.config_file = config_file_;
    options.json = json_;
    if (!explain_texts_.ip.empty()) {
      options.ip = IpAddress::parse(explain_texts_.ip);
      if (!options.ip) throw CLI::ValidationError("--ip", "expected an address like 192.0.2.1");
    }
    if (!options.helo.empty()) {
      const auto name = smtp::parse_greeting(options.helo);
      if (!name || *name != options.helo) throw CLI::ValidationError("--helo", "expected a name like mail.example.org");
    }
    if (from_->count() > 0) options.from = read_address("--from", explain_texts_.from, smtp::PathKind::reverse);
    for (std::string& to : options.to) to = read_address("--to", to, smtp::PathKind::forward);
    return options;
  }

  DmarcReportOptions dmarc_report_options() const {
    if (!dmarc_reports_.day.empty() && !parse_day(dmarc_reports_.day))
      throw CLI::ValidationError("--day", "expected a day like 2026-11-22");
    DmarcReportOptions options = dmarc_reports_;
    options.config_file = config_file_;
    return options;
  }

  void add_sink() {
    sink_ = add("sink", "A small receiving server for demos and tests");
    sink_->add_option("--listen", sink_texts_.listen, "Where to listen [127.0.0.1:2600]")->type_name("ADDRESS");
    sink_->add_option("--reject-rcpt", sinks_.reject_recipient, "Refuse recipients this pattern is found in")
        ->type_name("RE");
    sink_->add_option("--dump", sinks_.dump_directory, "Write each message to a file there")->type_name("DIR");
    sink_->add_option("--max-size", sink_texts_.max_size, "Refuse larger messages, such as 10MiB")->type_name("SIZE");
    refuse_extension("--no-pipelining", sinks_.pipelining, "Do not offer PIPELINING");
    refuse_extension("--no-chunking", sinks_.chunking, "Do not offer CHUNKING");
    refuse_extension("--no-8bitmime", sinks_.eight_bit_mime, "Do not offer 8BITMIME");
    refuse_extension("--no-smtputf8", sinks_.smtputf8, "Do not offer SMTPUTF8");
    refuse_extension("--no-dsn", sinks_.dsn, "Do not offer DSN");
    sink_->add_option("--tls-cert", sinks_.tls_certificate, "Offer STARTTLS with this certificate")->type_name("DIR");
    sink_->add_option("--delay", sink_texts_.delay, "Wait before the final reply, such as 500ms")
        ->type_name("DURATION");
    sink_->add_flag("--quiet", sinks_.quiet, "Say nothing about messages");
  }

  void refuse_extension(const char* flag, bool& offered, const char* what) {
    sink_->add_flag_callback(
        flag, [&offered] { offered = false; }, what);
  }

  SinkOptions sink_options() const {
    SinkOptions options = sinks_;
    if (!sink_texts_.listen.empty()) {
      const auto address = SocketAddress::parse(sink_texts_.listen);
      if (!address) throw CLI::ValidationError("--listen", "expected an address like 127.0.0.1:2600");
      options.listen = *address;
    }
    if (!sink_texts_.max_size.empty()) {
      const auto size = parse_size(sink_texts_.max_size);
      if (!size) throw CLI::ValidationError("--max-size", "expected a size like 10MiB");
      options.max_size = *size;
    }
    if (!sink_texts_.delay.empty()) {
      const auto delay = parse_duration(sink_texts_.delay);
      if (!delay) throw CLI::ValidationError("--delay", "expected a duration like 500ms");
      options.delay = *delay;
    }
    if (!options.reject_recipient.empty()) {
      const auto pattern = Regex::compile(options.reject_recipient);
      if (!pattern) throw CLI::ValidationError("--reject-rcpt", pattern.error().message);
    }
    return options;
  }

  CLI::App app_;
  CLI::App* run_ = nullptr;
  CLI::App* check_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* config_explain_ = nullptr;
  CLI::App* explain_ = nullptr;
  CLI::Option* from_ = nullptr;  // of explain: not given is not the null sender
  CLI::App* dmarc_report_ = nullptr;
  CLI::App* schema_ = nullptr;
  CLI::App* stats_ = nullptr;
  CLI::App* sink_ = nullptr;
  std::string config_file_ = default_config_file;
  std::string key_;
  bool json_ = false;
  SinkOptions sinks_;
  SinkTexts sink_texts_;
  ExplainOptions explains_;
  ExplainTexts explain_texts_;
  DmarcReportOptions dmarc_reports_;
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

Leave usage_error(const std::string& what) {
  return {exit_code::usage, "sallyport: " + what + "\nsallyport --help lists the commands and options\n"};
}

}  // namespace

std::variant<Command, Leave> parse_command_line(const std::vector<std::string>& arguments) {
  Parser parser;
  try {
    return parser.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    return Leave{exit_code::ok, parser.help()};
  } catch (const CLI::CallForVersion& version) {
    return Leave{exit_code::ok, std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> names = parser.command_names();
    const std::string word = unknown_command(arguments, names);
    if (word.empty()) return usage_error(error.what());
    std::string message = "unknown command \"" + word + "\"";
    const std::string_view meant = text::did_you_mean(word, names);
    if (!meant.empty()) message.append("; did you mean \"").append(meant).append("\"?");
    return usage_error(message);
  }
}

}  // namespace sallyport::app
