#include "gateway/cli/check_names.h"

#include "gateway/cli/look_up_names.h"
#include "gateway/config/key_path.h"
#include "gateway/config/own_doors.h"

namespace sallyport::cli {
namespace {

void look_up(const config::Settings& settings, upstream::NameBook& names) {
  if (upstream::names_of(settings).empty()) return;
  Counters counters;
  auto log = open_log({LogFormat::text, "stderr", LogLevel::error}, counters);
  if (!log) return;
  resolver::Cache cache(settings.dns.cache_entries);
  look_up_names(settings, names, cache, counters, **log);
}

}  // namespace

void check_names(const config::Loaded& loaded, const std::string& config_file, CheckReport& report) {
  upstream::NameBook names;
  look_up(*loaded.settings, names);
  for (const auto& [name, upstream] : loaded.settings->upstreams) {
    const std::string path = config::full_path("upstreams.*.servers", {name});
    for (const Endpoint& server : upstream.servers) {
      if (!server.is_name() || !names.addresses(server.host()).empty()) continue;
      report.warn(place_of(loaded, config_file, path), server.host() + " has no address now (" +
                                                           names.problem(server.host()) +
                                                           "): mail cannot go there until it has one");
    }
  }
  const auto addresses = [&names](std::string_view host) { return names.addresses(host); };
  for (config::ConfigError& door :
       config::find_own_doors(loaded, config_file, config::addresses_of_this_host(), addresses))
    report.errors.push_back(std::move(door));
}

}  // namespace sallyport::cli
