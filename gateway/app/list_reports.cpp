#include "gateway/app/list_reports.h"

#include <map>
#include <string>
#include <utility>

#include "policies/dnsbl/dnsbl.h"
#include "policies/lists/list_health.h"
#include "policies/lists/shown_list.h"
#include "policies/url_lists/settings.h"

namespace sallyport::app {

namespace {

using policies::ListHealth;
using policies::ListPart;

// One list of the configuration.
struct Configured {
  std::string name;
  policies::SelfTest self_test = policies::SelfTest::automatic;
  std::vector<std::string> tenants;
};
using Lists = std::map<std::string, Configured>;  // by zone

enum class Kind { of_addresses, of_names };

control::ListReport::Family family_of(const ListHealth::Report& health, ListPart family, const Moment& moment) {
  const ListHealth::Part& known = health.parts[static_cast<std::size_t>(family)];
  if (!health.passes_test.value_or(true)) {
    return {"failed its test", moment.seconds_of(health.tested_since), health.test_reason};
  }
  if (family == ListPart::ipv6 && !health.serves_ipv6) {
    return {"no entries", moment.seconds_of(health.tested_since), health.ipv6_reason};
  }
  return {known.is_open ? "set aside" : "asked", moment.seconds_of(known.since), known.last_failure};
}

control::ListReport report_of(const Configured& list, Kind kind, const ListHealth::Report& health,
                              const Moment& moment) {
  control::ListReport report;
  report.list = list.name;
  report.tenants = list.tenants;
  if (kind == Kind::of_names) {
    report.names = family_of(health, ListPart::names, moment);
  } else {
    report.ipv4 = family_of(health, ListPart::ipv4, moment);
    report.ipv6 = family_of(health, ListPart::ipv6, moment);
  }
  report.self_test.mode = word(list.self_test);
  report.self_test.result = !health.passes_test ? "not yet" : *health.passes_test ? "passed" : "failed";
  report.self_test.since = moment.seconds_of(health.tested_since);
  report.self_test.reason = health.test_reason;
  report.questions = health.questions;
  report.hits = health.hits;
  report.faults = health.faults;
  return report;
}

// Adds the lists of these settings that are not in `known` yet.
template <class S>
void add(const S& settings, const std::string& tenant, const Lists& everybodys, Lists& known) {
  if (settings.mode == policies::Mode::off) return;
  for (auto& [zone, name] : policies::list_names(settings.zones)) {
    if (!tenant.empty() && everybodys.contains(zone)) continue;
    Configured& list = known[zone];
    list.name = name;
    list.self_test = settings.zones.at(zone).self_test;
    if (!tenant.empty()) list.tenants.push_back(tenant);
  }
}

// Calls visit(zone, list) for each of one policy's lists: everybody's, then those of tenants.
template <class S, class Visit>
void for_each_list(const config::Settings& settings, const settings::SectionOf<S>& section, Visit visit) {
  Lists everybodys;
  Lists tenants;
  add(settings.policy.of(section), "", {}, everybodys);
  for (const auto& [name, tenant] : settings.tenants) {
    add(config::policy_of(settings, tenant).of(section), name, everybodys, tenants);
  }
  for (const Lists* lists : {&everybodys, &tenants}) {
    for (const auto& [zone, list] : *lists) visit(zone, list);
  }
}

}  // namespace

control::ListReports list_reports(const config::Settings& settings, const policies::ListTable& table,
                                  const Moment& moment) {
  control::ListReports reports;
  for_each_list(settings, policies::dnsbl_section, [&](const std::string& zone, const Configured& list) {
    reports.push_back(report_of(list, Kind::of_addresses, table.of(zone).report(), moment));
  });
  for_each_list(settings, policies::url_lists_section, [&](const std::string& zone, const Configured& list) {
    reports.push_back(report_of(list, Kind::of_names, table.of(zone).report(), moment));
  });
  return reports;
}

std::vector<ListTimes> list_times(const config::Settings& settings, const policies::ListTable& table) {
  std::vector<ListTimes> times;
  const auto take = [&](const std::string& zone, const Configured& list) {
    times.push_back({list.name, &table.of(zone).times()});
  };
  for_each_list(settings, policies::dnsbl_section, take);
  for_each_list(settings, policies::url_lists_section, take);
  return times;
}

}  // namespace sallyport::app
