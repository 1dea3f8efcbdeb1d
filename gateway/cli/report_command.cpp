#include "gateway/cli/report_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/descriptor.h"
#include "gateway/base/field_json.h"
#include "gateway/base/text.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/log_file.h"
#include "gateway/log_summary/log_time_text.h"
#include "gateway/log_summary/summary.h"

namespace sallyport::cli {
namespace {

struct ReportOptions {
  std::vector<std::string> files;
  std::string config_file = default_config_file;
  std::optional<WallTime> since;
  std::size_t top = 10;
  bool json = false;
};

void declare(Syntax& syntax, ReportOptions& options) {
  syntax.config_file(options.config_file);
  syntax.optional_arguments(
      "FILE",
      "Logs to read, compressed by gzip or not, `-` is standard input; else the file of log.target, with "
      "--since also those that it was before it was rotated",
      options.files);
  syntax.value({"--since", "TIME", "Only lines from then on: 2026-11-30, 2026-11-30T06:00:00Z, 24h, today, yesterday"},
               [&options](const std::string& text) -> Result<Done> {
                 options.since = log_summary::parse_since(text, std::chrono::system_clock::now());
                 if (!options.since) return Failure{"expected a time such as 2026-11-30, 24h, today or yesterday"};
                 return Done{};
               });
  syntax.value({"--top", "N", "How long the lists of senders, clients and reasons are; 10 by default"},
               [&options](const std::string& text) -> Result<Done> {
                 const auto number = text::to_number(text, 10000);
                 if (!number || *number == 0) return Failure{"expected a number from 1 to 10000"};
                 options.top = static_cast<std::size_t>(*number);
                 return Done{};
               });
  syntax.json(options.json);
}

// Each, in the order in which it is read; else the exit status, with its reason said.
Result<std::vector<LogFile>, int> open_all(const ReportOptions& options, const Console& console) {
  std::vector<std::string> paths = options.files;
  const bool is_own_log = paths.empty();
  if (is_own_log) {
    const auto loaded = load_configuration(options.config_file, console);
    if (!loaded) return exit_code::configuration;
    constexpr std::string_view prefix = "file:";
    const std::string& target = loaded->settings->log.target;
    if (!target.starts_with(prefix)) {
      console.err
          << "sallyport: the log goes to " << target
          << " and not to a file; give it to `report` yourself, as in: journalctl -u sallyport -o cat | sallyport "
             "report -\n";
      return exit_code::usage;
    }
    paths.push_back(target.substr(prefix.size()));
  }
  std::vector<LogFile> files;
  for (const std::string& path : paths) {
    Descriptor opened(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                  : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) {
      const int error = errno;
      console.err << "sallyport: " << path << ": " << std::strerror(error) << "\n";
      return error == EACCES || error == EPERM ? exit_code::permission : exit_code::no_input;
    }
    files.push_back({path == "-" ? "standard input" : path, std::move(opened)});
  }
  if (!is_own_log || !options.since) return files;
  auto rotated = open_rotated(paths.front(), files.front().file, *options.since);
  if (!rotated) {
    console.err << "sallyport: " << rotated.error().message << "\n";
    return exit_code::permission;
  }
  std::move(files.begin(), files.end(), std::back_inserter(*rotated));
  return std::move(*rotated);
}

int report_command(const ReportOptions& options, const Console& console) {
  auto files = open_all(options, console);
  if (!files) return files.error();
  log_summary::Summary summary(options.since);
  for (LogFile& log : *files) {
    const auto why = read_lines(std::move(log.file), [&summary](std::optional<std::string_view> line) {
      if (line) {
        summary.take(*line);
      } else {
        summary.take_unreadable();
      }
    });
    if (!why) continue;
    console.err << "sallyport: " << log.path << ": " << *why << "\n";
    return exit_code::io;
  }
  const log_summary::Report report = summary.report(options.top);
  if (options.json) {
    console.out << FieldWriter::json(report) << "\n";
  } else {
    console.out << log_summary::to_text(report);
  }
  return report.lines > 0 && report.unreadable == report.lines ? exit_code::data : exit_code::ok;
}

}  // namespace

const Command report_entry{"report", "A summary of the log: mails, refusals and why, lists, senders, faults",
                           make_invocation<ReportOptions, declare, report_command>};

}  // namespace sallyport::cli
