#include "gateway/cli/lists_command.h"

#include <ostream>

#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"
#include "gateway/cli/daemon_answer.h"
#include "gateway/control/lists.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, ListsOptions& options) {
  syntax.config_file(options.config_file);
  syntax.json(options.json);
}

void print_family(std::ostream& out, const char* family, const control::ListReport::Family& about) {
  if (about.state.empty()) return;
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
  print_family(out, "names", list.names);
  const control::ListReport::SelfTest& test = list.self_test;
  out << "  test  " << text::showable(test.mode);
  if (test.mode != "off") out << ", " << text::showable(test.result);
  if (!test.reason.empty()) out << " since " << local_time(test.since) << ": " << text::showable(test.reason);
  out << "\n";
}

}  // namespace

int lists_command(const ListsOptions& options, const Console& console) {
  return show_answer(options.config_file, "lists", console, control::decode_lists, [&](const auto& lists) {
    if (options.json) {
      console.out << control::lists_json(lists) << "\n";
    } else if (lists.empty()) {
      console.err << "sallyport: the daemon asks no DNS lists\n";
    } else {
      for (const control::ListReport& list : lists) print(console.out, list);
    }
  });
}

const Command lists_entry{"lists", "The DNS lists of the running daemon, with their states",
                          make_invocation<ListsOptions, declare, lists_command>};

}  // namespace sallyport::cli
