#include "gateway/log_summary/summary.h"

#include <algorithm>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::log_summary {
namespace {

// Names of lists and tenants come from the configuration; what else may stand in a file is not kept without bound.
constexpr std::size_t most_names = 10000;

constexpr std::string_view list_checks[] = {"dnsbl", "url_lists"};

bool is_list(std::string_view name) {
  return std::any_of(std::begin(list_checks), std::end(list_checks), [name](std::string_view check) {
    return name.starts_with(check) && name.substr(check.size()).starts_with(':');
  });
}

// "~dnsbl:zen(8)" taken apart.
struct Symbol {
  std::string_view name;
  bool is_shadow = false;
  bool has_no_answer = false;
  bool is_good_word = false;  // a negative score
};

Symbol take_apart(std::string_view text) {
  Symbol symbol;
  symbol.is_shadow = text.starts_with('~');
  symbol.has_no_answer = text.starts_with('!');
  if (symbol.is_shadow || symbol.has_no_answer) text.remove_prefix(1);
  const std::size_t parenthesis = std::min(text.find('('), text.size());
  symbol.name = text.substr(0, parenthesis);
  symbol.is_good_word = text.substr(parenthesis).starts_with("(-");
  return symbol;
}

bool is_relayed(std::string_view verdict) { return verdict == "relay" || verdict == "tag" || verdict == "quarantine"; }

std::string domain_of(std::string_view address) {
  if (address.empty()) return "<>";
  const std::size_t at = address.rfind('@');
  return text::to_lower(at == address.npos ? address : address.substr(at + 1));
}

}  // namespace

void Verdicts::count(std::string_view verdict) {
  const std::pair<std::string_view, std::uint64_t*> all[] = {
      {"relay", &relay},     {"tag", &tag},  {"quarantine", &quarantine}, {"reject", &reject}, {"tempfail", &tempfail},
      {"discard", &discard}, {"drop", &drop}};
  for (const auto& [name, count] : all) {
    if (name == verdict) ++*count;
  }
}

ListWorth* Summary::worth_of(std::string_view list) {
  const auto found = lists_.find(list);
  if (found != lists_.end()) return &found->second;
  if (lists_.size() >= most_names) return nullptr;
  ListWorth& made = lists_[std::string(list)];
  made.name = list;
  return &made;
}

TenantNumbers* Summary::numbers_of(const std::string& tenant) {
  const auto found = tenants_.find(tenant);
  if (found != tenants_.end()) return &found->second;
  if (tenants_.size() >= most_names) return nullptr;
  TenantNumbers& made = tenants_[tenant];
  made.name = tenant;
  return &made;
}

void Summary::take(std::string_view line) {
  if (line.empty()) return;
  ++report_.lines;
  const auto entry = read_log_line(line);
  if (!entry) {
    ++report_.unreadable;
    return;
  }
  if (!entry->time) {
    ++report_.undated;
  } else if (since_ && *entry->time < *since_) {
    ++report_.older;
    return;
  } else {
    if (!first_ || *entry->time < *first_) first_ = entry->time;
    if (!last_ || *entry->time > *last_) last_ = entry->time;
  }
  take_entry(*entry);
}

void Summary::take_entry(const LogEntry& entry) {
  // `repeated=N` stands for N more that were held back.
  const std::uint64_t times = entry.repeated > 0 ? entry.repeated : 1;
  if (entry.event == "transaction") {
    take_mail(entry);
    // All its recipients were refused, and each has a line of its own, with the reason.
    if (entry.stage == "rcpt" && entry.recipients == 0 && !is_relayed(entry.verdict)) return;
  } else if (entry.event == "recipient") {
    report_.refused_recipients.count(entry.verdict);
    if (TenantNumbers* tenant = entry.tenant.empty() ? nullptr : numbers_of(entry.tenant))
      tenant->refused_recipients.count(entry.verdict);
  } else if (entry.event == "connection") {
    report_.refused_connections.count(entry.verdict);
  } else if (entry.event == "fault") {
    return faults_.add(entry.kind, times);
  } else if (entry.event == "violation") {
    return violations_.add(entry.kind, times);
  } else if (entry.event == "log_lost") {
    report_.lost += entry.lost;
    return;
  } else {
    return;
  }
  take_reason(entry);
  take_symbols(entry);
  if (!entry.ip.empty() && !is_relayed(entry.verdict)) refused_clients_.add(entry.ip);
}

void Summary::take_mail(const LogEntry& entry) {
  report_.mails.count(entry.verdict);
  sender_domains_.add(domain_of(entry.from));
  if (!entry.ip.empty()) clients_.add(entry.ip);
  TenantNumbers* tenant = entry.tenant.empty() ? nullptr : numbers_of(entry.tenant);
  if (tenant) tenant->mails.count(entry.verdict);
  if (!is_relayed(entry.verdict)) return;
  report_.accepted_recipients += entry.recipients;
  report_.octets += entry.octets;
  if (tenant) tenant->octets += entry.octets;
}

void Summary::take_reason(const LogEntry& entry) {
  if (entry.verdict == "relay" || entry.verdict.empty()) return;
  std::string reason = entry.verdict;
  if (!entry.check.empty()) reason.append(" ").append(entry.check);
  if (!entry.rule.empty()) reason.append(":").append(entry.rule);
  reasons_.add(reason);
}

void Summary::take_symbols(const LogEntry& entry) {
  const bool lists_decided = entry.verdict != "relay" && std::find(std::begin(list_checks), std::end(list_checks),
                                                                   entry.check) != std::end(list_checks);
  std::vector<ListWorth*> bad_words;  // lists that speak against the mail, and count
  for (const std::string& text : entry.symbols) {
    const Symbol symbol = take_apart(text);
    if (symbol.is_shadow) shadow_.add(symbol.name);
    ListWorth* list = is_list(symbol.name) ? worth_of(symbol.name) : nullptr;
    if (!list) continue;
    if (symbol.has_no_answer) {
      ++list->no_answer;
      continue;
    }
    ++list->hits;
    if (symbol.is_shadow) ++list->shadow;
    if (is_relayed(entry.verdict)) ++list->passed;
    // Of url_lists, what a list says of a mail is no help to a refusal by dnsbl, nor the other way round.
    if (!symbol.is_shadow && !symbol.is_good_word && symbol.name.starts_with(entry.check)) bad_words.push_back(list);
  }
  if (!lists_decided) return;
  for (ListWorth* list : bad_words) {
    ++list->decided;
    ++(bad_words.size() == 1 ? list->alone : list->together);
  }
}

Report Summary::report(std::size_t most) const {
  Report report = report_;
  if (first_) report.first = log_time(*first_);
  if (last_) report.last = log_time(*last_);
  const auto top = [most](const Frequent& frequent) { return Top{frequent.top(most), frequent.missing()}; };
  report.reasons = top(reasons_);
  report.shadow = top(shadow_);
  report.sender_domains = top(sender_domains_);
  report.clients = top(clients_);
  report.refused_clients = top(refused_clients_);
  report.faults = top(faults_);
  report.violations = top(violations_);
  for (const auto& [name, worth] : lists_) report.lists.push_back(worth);
  std::stable_sort(report.lists.begin(), report.lists.end(), [](const ListWorth& a, const ListWorth& b) {
    return a.decided != b.decided ? a.decided > b.decided : a.hits > b.hits;
  });
  for (const auto& [name, numbers] : tenants_) report.tenants.push_back(numbers);
  return report;
}

}  // namespace sallyport::log_summary
