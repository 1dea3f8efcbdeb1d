#include "gateway/app/common_parts.h"

#include "gateway/uv/loop.h"
#include "policies/arc/sealer.h"

namespace sallyport::app {

namespace {

state::RateTable::Options rate_options() {
  state::RateTable::Options options;
  for (std::uint64_t& word : options.hash_key) word = random_seed();
  return options;
}

}  // namespace

CommonParts::CommonParts(const config::Loaded& configuration)
    : settings(configuration.settings),
      configuration_hash(configuration.hash),
      dns_cache(settings->dns.cache_entries),
      rates(rate_options(), state::steady_now),
      slots({settings->limits.sessions, settings->limits.sessions_per_ip}),
      board(settings->upstreams),
      started(uv::Loop::now()) {}

Result<std::unique_ptr<CommonParts>> make_common_parts(const config::Loaded& configuration) {
  auto parts = std::make_unique<CommonParts>(configuration);
  const config::Settings& settings = *parts->settings;

  auto log = open_log(settings.log, parts->counters);
  if (!log) return std::move(log).error();
  parts->log = std::move(*log);

  for (const config::ListenSettings& listen : settings.listen) {
    session::Door door{listen, nullptr};
    if (listen.tls != config::ListenTls::off && !settings.tls.certificates.empty()) {
      auto context = tls::make_server_context(config::tls_of(settings, listen));
      if (!context) return std::move(context).error();
      door.tls = std::move(*context);
    }
    parts->doors.push_back(std::move(door));
  }
  for (const auto& [name, upstream] : settings.upstreams) {
    if (upstream.tls.mode == tls::UpstreamTls::off) continue;
    auto context = tls::make_client_context(upstream.tls);
    if (!context) return std::move(context).error();
    parts->upstream_tls.emplace(name, std::move(*context));
  }
  if (const policies::ArcSealSettings& seal = settings.policy.arc.seal; !seal.key_file.empty()) {
    auto sealer = policies::ArcSealer::read(seal);
    if (!sealer) return Failure{"policy.arc.seal.key.file: " + sealer.error().message};
    parts->sealer = std::make_unique<policies::ArcSealer>(std::move(*sealer));
  }
  return parts;
}

}  // namespace sallyport::app
