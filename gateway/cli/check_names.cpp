#include "gateway/cli/check_names.h"

#include "gateway/cli/look_up_names.h"
#include "gateway/config/key_path.h"

namespace sallyport::cli {

config::ConfigErrors check_names(const config::Loaded& loaded) {
  const config::Settings& settings = *loaded.settings;
  config::ConfigErrors warnings;
  if (upstream::names_of(settings).empty()) return warnings;
  Counters counters;
  auto log = open_log({LogFormat::text, "stderr", LogLevel::error}, counters);
  if (!log) return warnings;
  upstream::NameBook names;
  resolver::Cache cache(settings.dns.cache_entries);
  look_up_names(settings, names, cache, counters, **log);
  for (const auto& [name, upstream] : settings.upstreams) {
    const std::string path = config::full_path("upstreams.*.servers", {name});
    for (const Endpoint& server : upstream.servers) {
      if (!server.is_name() || !names.addresses(server.host()).empty()) continue;
      warnings.push_back({loaded.origin_of(path), server.host() + " has no address now (" +
                                                      names.problem(server.host()) +
                                                      "): mail cannot go there until it has one"});
    }
  }
  return warnings;
}

}  // namespace sallyport::cli
