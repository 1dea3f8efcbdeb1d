// Summary: what a stretch of the log says in numbers, for `sallyport report`.
//
// Lines are taken one after the other; memory is bounded however long the log is and whatever strangers have put into
// it (frequent.h). Times are those of the lines.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/units.h"
#include "gateway/log_summary/frequent.h"
#include "gateway/log_summary/log_entry.h"

namespace sallyport::log_summary {

// What became of mails, refused recipients or refused connections, by `verdict=`.
struct Verdicts {
  std::uint64_t relay = 0, tag = 0, quarantine = 0, reject = 0, tempfail = 0, discard = 0, drop = 0;

  void count(std::string_view verdict);
  std::uint64_t all() const { return relay + tag + quarantine + reject + tempfail + discard + drop; }

  template <class V>
  void fields(V& visit) {
    visit("relay", relay);
    visit("tag", tag);
    visit("quarantine", quarantine);
    visit("reject", reject);
    visit("tempfail", tempfail);
    visit("discard", discard);
    visit("drop", drop);
  }
};

// What a DNS list, of addresses, domains or hashes, was good for.
struct ListWorth {
  std::string name;             // "dnsbl:zen"
  std::uint64_t hits = 0;       // lines of the log in which it had an entry
  std::uint64_t decided = 0;    // of these: refusals, tags and quarantines for which lists were the reason
  std::uint64_t alone = 0;      // of these: no other list had an entry
  std::uint64_t together = 0;   // of these: others had one too
  std::uint64_t passed = 0;     // mails that were relayed all the same
  std::uint64_t shadow = 0;     // hits that did not count, because of shadow mode
  std::uint64_t no_answer = 0;  // it could not be asked

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("hits", hits);
    visit("decided", decided);
    visit("alone", alone);
    visit("together", together);
    visit("passed", passed);
    visit("shadow", shadow);
    visit("no_answer", no_answer);
  }
};

struct TenantNumbers {
  std::string name;
  Verdicts mails;
  Verdicts refused_recipients;
  std::uint64_t octets = 0;  // of the mails relayed

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("mails", mails);
    visit("refused_recipients", refused_recipients);
    visit("octets", octets);
  }
};

// A list of the most frequent; `missing` as Frequent::missing().
struct Top {
  std::vector<Counted> entries;
  std::uint64_t missing = 0;

  template <class V>
  void fields(V& visit) {
    visit("entries", entries);
    visit("missing", missing);
  }
};

struct Report {
  std::string first, last;  // times of lines; empty: no line had one
  std::uint64_t lines = 0;
  std::uint64_t unreadable = 0;  // lines that are not of our log
  std::uint64_t undated = 0;     // counted, though nobody knows whether they are older than `since`
  std::uint64_t older = 0;       // left out because of `since`
  std::uint64_t lost = 0;        // lines that the gateway could not write
  Verdicts mails;
  std::uint64_t accepted_recipients = 0;
  std::uint64_t octets = 0;
  Verdicts refused_recipients;
  Verdicts refused_connections;
  Top reasons;  // "reject dnsbl:zen"
  std::vector<ListWorth> lists;
  Top shadow;  // "rules:NO_CLARA": lines in which it would have been
  Top sender_domains;
  Top clients;
  Top refused_clients;
  Top faults;
  Top violations;
  std::vector<TenantNumbers> tenants;

  template <class V>
  void fields(V& visit) {
    visit("first", first);
    visit("last", last);
    visit("lines", lines);
    visit("unreadable", unreadable);
    visit("undated", undated);
    visit("older", older);
    visit("lost", lost);
    visit("mails", mails);
    visit("accepted_recipients", accepted_recipients);
    visit("octets", octets);
    visit("refused_recipients", refused_recipients);
    visit("refused_connections", refused_connections);
    visit("reasons", reasons);
    visit("lists", lists);
    visit("shadow", shadow);
    visit("sender_domains", sender_domains);
    visit("clients", clients);
    visit("refused_clients", refused_clients);
    visit("faults", faults);
    visit("violations", violations);
    visit("tenants", tenants);
  }
};

class Summary {
 public:
  explicit Summary(std::optional<WallTime> since) : since_(since) {}

  // One line without its line end.
  void take(std::string_view line);
  // A line that was too long to be read.
  void take_unreadable() {
    ++report_.lines;
    ++report_.unreadable;
  }
  // All so far; of each list of texts the `most` most frequent ones.
  Report report(std::size_t most) const;

 private:
  void take_entry(const LogEntry& entry);
  void take_mail(const LogEntry& entry);
  void take_reason(const LogEntry& entry);
  void take_symbols(const LogEntry& entry);
  ListWorth* worth_of(std::string_view list);
  TenantNumbers* numbers_of(const std::string& tenant);

  const std::optional<WallTime> since_;
  Report report_;
  std::optional<WallTime> first_, last_;
  std::map<std::string, ListWorth, std::less<>> lists_;
  std::map<std::string, TenantNumbers, std::less<>> tenants_;
  Frequent reasons_{1000}, shadow_{1000}, sender_domains_{10000}, clients_{10000}, refused_clients_{10000},
      faults_{200}, violations_{200};
};

// For people: one section after the other, those without a number left out.
std::string to_text(const Report& report);

}  // namespace sallyport::log_summary
