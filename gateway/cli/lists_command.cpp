#include "gateway/cli/lists_command.h"

#include <array>
#include <chrono>
#include <ctime>
#include <ostream>

#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"
#include "gateway/cli/configuration.h"
#include "gateway/cli/daemon_socket.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/load.h"
#include "gateway/control/client.h"
#include "gateway/control/lists.h"
#include "gateway/control/protocol.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, ListsOptions& options) {
  syntax.config_file(options.config_file);
  syntax.json(options.json);
}

std::string local_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  if (::localtime_r(&time, &parts) == nullptr) return std::to_string(seconds);
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

void print_family(std::ostream& out, const char* family, const control::ListReport::Family& about) {
  out << "  " << family << "  " << text::showable(about.state) << " since " << local_time(about.since);
  if (!about.reason.empty()) {
    out << (about.state == "asked" ? "; last failure: " : ": ") << text::showable(about.reason);
  }
  out << "\n";
}

void print(std::ostream& out, const control::ListReport& list) {
  out << text::showable(list.list);
  if (!list.tenants.empty()) out << " (of " << text::showable(text::join(list.tenants, ", ")) << ")";
  out << ": " << list.questions << " questions, " << list.hits << " hits, " << list.faults << " faults\n";
  print_family(out, "IPv4", list.ipv4);
  print_family(out, "IPv6", list.ipv6);
  const control::ListReport::SelfTest& test = list.self_test;
  out << "  test  " << text::showable(test.mode);
  if (test.mode != "off") out << ", " << text::showable(test.result);
  if (!test.reason.empty()) out << " since " << local_time(test.since) << ": " << text::showable(test.reason);
  out << "\n";
}

}  // namespace

int lists_command(const ListsOptions& options, const Console& console) {
  // The daemon may run though its files have errors by now.
  const config::Outcome outcome = config::read_configuration(options.config_file, config::Disk());
  const std::string socket = daemon_socket(options.config_file, outcome);
  const auto response = control::ask(socket, control::encode({"lists"}), std::chrono::seconds(5));
  if (!response) {
    print_errors(outcome.errors, console);
    console.err << "sallyport: " << unreachable(socket, response.error()).message << "\n";
    return outcome.errors.empty() ? exit_code::unavailable : exit_code::configuration;
  }
  const auto lists = control::decode_lists(*response);
  if (!lists) {
    console.err << "sallyport: " << unusable_answer(socket, lists.error()).message << "\n";
    return exit_code::unavailable;
  }
  if (options.json) {
    console.out << control::lists_json(*lists) << "\n";
  } else if (lists->empty()) {
    console.err << "sallyport: the daemon asks no DNS lists\n";
  } else {
    for (const control::ListReport& list : *lists) print(console.out, list);
  }
  return exit_code::ok;
}

const Command lists_entry{"lists", "The DNS lists of the running daemon, with their states",
                          make_invocation<ListsOptions, declare, lists_command>};

}  // namespace sallyport::cli
