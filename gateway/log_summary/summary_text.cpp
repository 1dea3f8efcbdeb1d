#include <cstdio>
#include <initializer_list>
#include <utility>

#include "gateway/base/text_safety.h"
#include "gateway/log_summary/summary.h"

namespace sallyport::log_summary {
namespace {

std::string right(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}
std::string right(std::uint64_t number, std::size_t width) { return right(std::to_string(number), width); }
std::string left(const std::string& text, std::size_t width) {
  return text.size() < width ? text + std::string(width - text.size(), ' ') : text;
}

constexpr std::size_t name_width = 28;

class Writer {
 public:
  void line(const std::string& text) { out.append(text).append("\n"); }

  // A name and numbers below the heads of their columns.
  template <class T>
  void row(const std::string& name, std::initializer_list<T> cells, std::initializer_list<std::size_t> widths) {
    std::string text = left(name, name_width);
    auto width = widths.begin();
    for (const T& cell : cells) text += right(cell, *width++);
    line(text);
  }

  void verdicts(const std::string& title, const Verdicts& counts) {
    if (counts.all() == 0) return;
    line(left(title, 24) + right(counts.all(), 10));
    const std::pair<const char*, std::uint64_t> all[] = {
        {"relayed", counts.relay},  {"tagged", counts.tag},       {"quarantined", counts.quarantine},
        {"refused", counts.reject}, {"put off", counts.tempfail}, {"discarded", counts.discard},
        {"broken off", counts.drop}};
    for (const auto& [name, count] : all) {
      if (count > 0) line("  " + left(name, 22) + right(count, 10));
    }
  }

  void top(const std::string& title, const Top& list) {
    if (list.entries.empty()) return;
    line("\n" + title);
    // Peers' text: nothing of it may turn the terminal around.
    for (const Counted& one : list.entries) line(right(one.count, 10) + "  " + text::showable(one.name));
    if (list.missing > 0)
      line("            (there were too many to count all: each may be " + std::to_string(list.missing) + " more)");
  }

  std::string out;
};

std::string size_words(std::uint64_t octets) {
  constexpr std::uint64_t few = 10240;
  if (octets < few) return std::to_string(octets) + " octets";
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f MiB", static_cast<double>(octets) / 1048576.0);
  return text;
}

void write_lists(Writer& to, const Report& report) {
  if (report.lists.empty()) return;
  const auto widths = {std::size_t{8}, std::size_t{9}, std::size_t{8}, std::size_t{8},
                       std::size_t{8}, std::size_t{8}, std::size_t{11}};
  to.line("\nWhat the lists were worth (decided: alone + with others)");
  to.row<std::string>("", {"hits", "decided", "alone", "others", "passed", "shadow", "no answer"}, widths);
  for (const ListWorth& list : report.lists)
    to.row<std::uint64_t>(
        text::showable(list.name),
        {list.hits, list.decided, list.alone, list.together, list.passed, list.shadow, list.no_answer}, widths);
}

void write_tenants(Writer& to, const Report& report) {
  if (report.tenants.size() < 2) return;  // one alone has the numbers above
  const auto widths = {std::size_t{9}, std::size_t{9}, std::size_t{9}, std::size_t{9}, std::size_t{20}};
  to.line("\nTenants");
  to.row<std::string>("", {"mails", "relayed", "refused", "put off", "recipients refused"}, widths);
  for (const TenantNumbers& one : report.tenants)
    to.row<std::uint64_t>(text::showable(one.name),
                          {one.mails.all(), one.mails.relay + one.mails.tag + one.mails.quarantine, one.mails.reject,
                           one.mails.tempfail, one.refused_recipients.all()},
                          widths);
}

void write_the_log_itself(Writer& to, const Report& report) {
  to.line("\n" + std::to_string(report.lines) + " lines read");
  const std::pair<std::uint64_t, const char*> all[] = {
      {report.older, " of them are older, and not counted"},
      {report.unreadable, " of them are no lines of Sallyport's log, and not counted"},
      {report.undated, " of them have no time, and are counted"},
      {report.lost, " lines are missing: the gateway could not write them"}};
  for (const auto& [count, words] : all) {
    if (count > 0) to.line(std::to_string(count) + words);
  }
}

}  // namespace

std::string to_text(const Report& report) {
  Writer to;
  to.line(report.first.empty() ? "Sallyport\n" : "Sallyport, " + report.first + " to " + report.last + "\n");
  to.verdicts("Mails", report.mails);
  if (report.accepted_recipients > 0)
    to.line("  to " + std::to_string(report.accepted_recipients) + " recipients, " + size_words(report.octets));
  to.verdicts("Recipients refused", report.refused_recipients);
  to.verdicts("Connections refused", report.refused_connections);
  to.top("Why mail was refused, put off, tagged or set aside", report.reasons);
  write_lists(to, report);
  to.top("Shadow mode: would have been", report.shadow);
  to.top("Sender domains (mails)", report.sender_domains);
  to.top("Clients (mails)", report.clients);
  to.top("Clients that were refused (refusals)", report.refused_clients);
  write_tenants(to, report);
  to.top("What clients did wrong", report.violations);
  to.top("Faults", report.faults);
  write_the_log_itself(to, report);
  return std::move(to.out);
}

}  // namespace sallyport::log_summary
