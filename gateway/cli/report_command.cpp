#include "gateway/cli/report_command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/descriptor.h"
#include "gateway/base/field_json.h"
#include "gateway/base/text.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
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
  syntax.optional_arguments("FILE", "Logs to read, `-` is standard input; else the file of log.target", options.files);
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

// The longest line that is read; the gateway writes none that is longer than a quarter of it.
constexpr std::size_t most_of_a_line = 64 * 1024;

constexpr std::string_view gzip_begins_with = "\x1f\x8b";

// Gives a reason where the file cannot be read to its end. Memory is that of one line, and of the summary.
std::optional<std::string> read_lines(int descriptor, log_summary::Summary& summary) {
  std::string line;
  bool is_too_long = false;
  bool is_first = true;
  const auto end_line = [&] {
    if (is_too_long) {
      summary.take_unreadable();
    } else {
      if (line.ends_with('\r')) line.pop_back();
      summary.take(line);
    }
    line.clear();
    is_too_long = false;
  };
  std::string block(64 * 1024, '\0');
  while (true) {
    const ssize_t count = ::read(descriptor, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::strerror(errno);
    if (count == 0) break;
    std::string_view rest(block.data(), static_cast<std::size_t>(count));
    if (is_first && rest.starts_with(gzip_begins_with)) return "it is compressed; use: zcat FILE | sallyport report -";
    is_first = false;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const std::string_view part = rest.substr(0, end);
      if (line.size() + part.size() > most_of_a_line) {
        is_too_long = true;
        line.clear();
      }
      if (!is_too_long) line += part;
      if (end == rest.npos) break;
      end_line();
      rest.remove_prefix(end + 1);
    }
  }
  if (!line.empty() || is_too_long) end_line();
  return std::nullopt;
}

int report_command(const ReportOptions& options, const Console& console) {
  std::vector<std::string> files = options.files;
  if (files.empty()) {
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
    files.push_back(target.substr(prefix.size()));
  }
  log_summary::Summary summary(options.since);
  for (const std::string& file : files) {
    Descriptor opened;
    if (file != "-") {
      opened = Descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
      if (!opened) {
        const int error = errno;
        console.err << "sallyport: " << file << ": " << std::strerror(error) << "\n";
        return error == EACCES || error == EPERM ? exit_code::permission : exit_code::no_input;
      }
    }
    if (const auto why = read_lines(file == "-" ? STDIN_FILENO : opened.get(), summary)) {
      console.err << "sallyport: " << (file == "-" ? "standard input" : file) << ": " << *why << "\n";
      return exit_code::io;
    }
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
