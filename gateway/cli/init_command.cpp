#include "gateway/cli/init_command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <span>
#include <sstream>
#include <string>

#include "gateway/base/descriptor.h"
#include "gateway/base/id.h"
#include "gateway/base/text.h"
#include "gateway/cli/check_files.h"
#include "gateway/cli/check_machine.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/init_answers.h"
#include "gateway/cli/init_outside.h"
#include "gateway/config/load.h"
#include "gateway/config/own_doors.h"
#include "gateway/uv/listening_sockets.h"

namespace sallyport::cli {
namespace {

namespace fs = std::filesystem;
using Kind = InitFinding::Kind;

struct InitOptions {
  std::string config_file = default_config_file;
  std::string answers_file;
  InitAnswers answers;
  bool force = false;
  bool offline = false;
};

TakeText one_more(std::vector<std::string>& to) {
  return [&to](const std::string& text) -> Result<Done> {
    to.push_back(text);
    return Done{};
  };
}

void declare(Syntax& syntax, InitOptions& options) {
  syntax.config_file(options.config_file);
  syntax.value({"--hostname", "NAME", "The full name of this host"}, options.answers.hostname);
  syntax.values({"--domain", "NAME", "A domain to take mail for; may be given again"},
                one_more(options.answers.domains));
  syntax.value({"--upstream", "ADDRESS", "The mail server behind: address or name, with or without port"},
               options.answers.upstream);
  syntax.value({"--cert", "DIRECTORY", "With fullchain.pem and privkey.pem; none: without TLS"},
               options.answers.certificate);
  syntax.values({"--dns", "ADDRESS", "A DNS server; may be given again; default: /etc/resolv.conf"},
                one_more(options.answers.dns));
  syntax.value({"--listen", "ADDRESS", "Where to listen; default: [::]:25"}, options.answers.listen);
  syntax.value({"--state", "DIRECTORY", "For what has to be remembered"}, options.answers.state);
  syntax.value({"--log", "TARGET", "stderr, journal or file:/path"}, options.answers.log);
  syntax.flag("--shadow", "Checks only look, at first", options.answers.shadow);
  syntax.value({"--answers", "FILE", "Lines key = value with these names; `-` is standard input"},
               options.answers_file);
  syntax.flag("--force", "Write over a configuration that is there", options.force);
  syntax.flag("--offline", "Do not try the mail server and DNS", options.offline);
}

// The new configuration as if it were already on the disk.
class WithNewFile final : public config::Files {
 public:
  WithNewFile(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {}
  Result<std::string> read(const std::string& path) const override {
    return path == path_ ? Result<std::string>(text_) : disk_.read(path);
  }
  Result<std::vector<std::string>> matching(const std::string& pattern) const override {
    return disk_.matching(pattern);
  }

 private:
  config::Disk disk_;
  std::string path_;
  std::string text_;
};

// --- What `check` would say

struct Topic {
  std::string_view key;  // what the line begins with that the finding is about
  const char* name;
  const char* cure;
};

constexpr Topic topics_of_lines[] = {
    {"address", "port", "stop what listens there, or take another address (--listen)"},
    {"cert", "certificate",
     "get one (certbot certonly --standalone -d NAME), and copy fullchain.pem and privkey.pem into a directory that "
     "the "
     "gateway may read, such as /etc/sallyport/tls/mx1; the guide certificates.md has it renewed by itself"},
    {"upstream", "upstream", "correct it (--upstream)"},
    {"domains", "domains", "correct them (--domain)"},
    {"hostname", "this host", "correct it (--hostname)"},
    {"servers", "dns", "correct it (--dns)"},
    {"path", "state", "take another directory (--state), or give this one to the user who serves"},
    {"target", "log", "take another target (--log)"},
};

// Findings about what has its default, and so no line: known by a word of theirs.
constexpr Topic topics_of_defaults[] = {
    {"there is no user", "user",
     "make it: adduser --system --group sallyport (the Debian package has done so); or name another, as in "
     "user = \"nobody\" at the top of the file"},
    {"is in use", "port", "stop what listens there, or take another address (--listen)"},
    {"cannot bind", "port", "take another address (--listen)"},
    {"systemd listens", "port", "make both the same: --listen, or systemctl edit sallyport.socket"},
    {"open files", "this host", "the unit of the Debian package allows enough; else raise the limit as it says"},
    {"state.path", "state", "take another directory (--state), or give this one to the user who serves"},
    {"belongs to another user", "state", "take another directory (--state), or give this one to the user who serves"},
};

// For what is wrong with a certificate that is there.
constexpr Topic cures_of_certificates[] = {
    {"does not belong to", "", "copy fullchain.pem and privkey.pem anew, both of the same renewal"},
    {"is encrypted", "",
     "openssl pkey -in privkey.pem -out plain.pem, and put that in its place, readable by its owner only"},
    {"open to others", "", "do so, and start `sallyport init` again"},
    {"no certificate in it", "", "put the certificate there as PEM: it begins with -----BEGIN CERTIFICATE-----"},
    {"may not ", "",
     "chgrp -R sallyport DIRECTORY; chmod -R g+rX DIRECTORY, or copy both files to /etc/sallyport/tls/mx1"},
    {"Permission denied", "", "start `sallyport init` as root, or give this user the right to read it"},
    {"not for", "", "get a certificate that has this name, or correct --hostname"},
};

const Topic* find_topic(std::span<const Topic> topics, const std::string& message) {
  const auto found = std::find_if(topics.begin(), topics.end(), [&message](const Topic& topic) {
    return message.find(topic.key) != std::string::npos;
  });
  return found == topics.end() ? nullptr : &*found;
}

Topic topic_of(const std::string& text, const config::ConfigError& error) {
  if (error.at.line <= 1) {
    if (const Topic* topic = find_topic(topics_of_defaults, error.message)) return *topic;
  }
  const auto lines = text::split(text, '\n');
  const std::size_t line = error.at.line;
  const std::string_view said = line >= 1 && line <= lines.size() ? lines[line - 1] : std::string_view();
  const auto found = std::find_if(std::begin(topics_of_lines), std::end(topics_of_lines),
                                  [said](const Topic& topic) { return said.starts_with(topic.key); });
  Topic topic = found == std::end(topics_of_lines) ? topics_of_lines[4] : *found;
  if (topic.key == "cert") {
    if (const Topic* special = find_topic(cures_of_certificates, error.message)) topic.cure = special->cure;
  }
  return topic;
}

void take_report(InitFindings& findings, const CheckReport& report, const std::string& text) {
  const auto take = [&](Kind kind, const config::ConfigErrors& errors) {
    for (const config::ConfigError& error : errors) {
      const Topic topic = topic_of(text, error);
      findings.push_back({kind, topic.name, error.message, topic.cure});
    }
  };
  take(Kind::error, report.errors);
  take(Kind::notice, report.warnings);
}

bool has(const InitFindings& findings, std::string_view topic) {
  return std::any_of(findings.begin(), findings.end(), [topic](const auto& one) { return one.topic == topic; });
}

InitFindings find_all(const InitOptions& options, const std::string& text) {
  const config::Outcome outcome =
      config::read_configuration(options.config_file, WithNewFile(options.config_file, text));
  InitFindings findings;
  CheckReport report;
  report.errors = outcome.errors;
  report.warnings = outcome.warnings;
  if (outcome.errors.empty()) {
    const CheckReport files = check_files(outcome.loaded, options.config_file, std::chrono::system_clock::now());
    report.errors.insert(report.errors.end(), files.errors.begin(), files.errors.end());
    report.warnings.insert(report.warnings.end(), files.warnings.begin(), files.warnings.end());
    check_machine(outcome.loaded, options.config_file, report);
    // The mail server's name is looked up below, with what comes of it.
    for (config::ConfigError& door :
         config::find_own_doors(outcome.loaded, options.config_file, config::addresses_of_this_host()))
      report.errors.push_back(std::move(door));
  }
  take_report(findings, report, text);
  if (!outcome.errors.empty()) return findings;
  const config::Settings& settings = *outcome.loaded.settings;
  for (const config::ListenSettings& listener : settings.listen) {
    const std::string address = listener.address.to_string();
    if (has(findings, "port")) continue;
    if (!listener.address.is_unix() && listener.address.port() < 1024 && ::geteuid() != 0) {
      findings.push_back({Kind::notice, "port", address + " can only be tried by root",
                          "start `sallyport check` as root, or as the unit does"});
    } else {
      const bool is_taken =
          !listener.address.is_unix() && uv::find_foreign_listener(listener.address.address()).has_value();
      findings.push_back({Kind::ok, "port", address + (is_taken ? " is held for the gateway" : " is free")});
    }
  }
  if (settings.tls.certificates.empty()) {
    findings.push_back({Kind::notice, "certificate",
                        "there is none: STARTTLS is not offered, all mail comes in the clear",
                        "name one (--cert); the guide certificates.md tells how to get one, and have it renewed"});
  } else if (!has(findings, "certificate")) {
    findings.push_back({Kind::ok, "certificate", "the key fits, and it is for " + settings.hostname});
  }
  if (options.offline) return findings;
  for (InitFinding& finding : look_outside(settings)) findings.push_back(std::move(finding));
  return findings;
}

void print(const InitFinding& finding, std::ostream& to) {
  const char* kind = finding.kind == Kind::ok       ? "ok       "
                     : finding.kind == Kind::notice ? "notice   "
                     : finding.kind == Kind::error  ? "error    "
                                                    : "problem  ";
  to << kind << finding.topic << ": " << finding.text << "\n";
  if (!finding.cure.empty()) to << "         cure: " << finding.cure << "\n";
}

// --- The file

// Whole or not at all, and over nothing that is there unless that is wanted. An errno on failure.
int write_file(const std::string& path, const std::string& text, bool may_replace) {
  // A name that no file has: whatever is there beside the configuration is the administrator's.
  const std::string made = path + "." + std::to_string(random_seed());
  Descriptor file(::open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) return errno;
  int error = 0;
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0)
    error = errno == 0 ? EIO : errno;
  // link(2) fails where there is a file, also one that has come in this moment.
  if (error == 0 && (may_replace ? std::rename(made.c_str(), path.c_str()) : ::link(made.c_str(), path.c_str())) != 0)
    error = errno;
  ::unlink(made.c_str());
  return error;
}

std::optional<std::string> read_all(const std::string& file) {
  std::ostringstream text;
  if (file == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream input(file);
  if (!input || !fs::is_regular_file(file)) return std::nullopt;
  text << input.rdbuf();
  return text.str();
}

int init_command(const InitOptions& options, const Console& console) {
  const auto fail = [&console](int exit, const std::string& why) {
    console.err << "sallyport: " << why << "\n";
    return exit;
  };
  if (!options.force && fs::exists(fs::symlink_status(options.config_file)))
    return fail(exit_code::usage, options.config_file + " is there already; --force writes over it");
  InitAnswers answers = options.answers;
  if (!options.answers_file.empty()) {
    const auto text = read_all(options.answers_file);
    if (!text) return fail(exit_code::no_input, options.answers_file + " cannot be read");
    const auto read = read_answers(*text, answers);
    if (!read) return fail(exit_code::data, options.answers_file + ": " + read.error().message);
  } else if (::isatty(STDIN_FILENO) == 1) {
    const auto asked = ask_for_answers(std::cin, console.err, answers);
    if (!asked) return fail(exit_code::usage, asked.error().message);
  }
  if (answers.certificate.empty()) answers.certificate = "none";
  if (const auto checked = check_answers(answers); !checked) return fail(exit_code::usage, checked.error().message);

  const std::string text = configuration_of(answers);
  const InitFindings findings = find_all(options, text);
  bool is_usable = true;
  bool all_works = true;
  for (const InitFinding& finding : findings) {
    print(finding, console.out);
    is_usable = is_usable && finding.kind != Kind::error;
    all_works = all_works && finding.kind != Kind::problem;
  }
  if (!is_usable) return fail(exit_code::not_passed, "nothing was written: the gateway could not start with this");
  const fs::path folder = fs::absolute(options.config_file).parent_path();
  std::error_code made;
  fs::create_directories(folder, made);
  if (const int error = write_file(options.config_file, text, options.force); error != 0)
    return fail(error == EACCES || error == EPERM ? exit_code::permission : exit_code::io,
                options.config_file + ": " + std::strerror(error));
  console.out << "wrote " << options.config_file << "\n";
  console.err << "Next: `sallyport check`, then `systemctl restart sallyport`, or `sallyport run`"
              << (options.config_file == default_config_file ? "" : ", each with -c " + options.config_file) << ".\n";
  return all_works ? exit_code::ok : exit_code::not_passed;
}

}  // namespace

const Command init_entry{"init", "A first configuration from answers, and whether what they name works",
                         make_invocation<InitOptions, declare, init_command>};

}  // namespace sallyport::cli
