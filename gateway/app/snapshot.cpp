#include "gateway/app/snapshot.h"

#include <chrono>
#include <utility>

#include "gateway/cli/check_files.h"
#include "gateway/cli/rule_test_errors.h"
#include "gateway/cli/transparent_upstreams.h"
#include "gateway/config/files.h"
#include "gateway/config/own_doors.h"
#include "gateway/crypto/wiping.h"
#include "lua/engine/services.h"
#include "policies/policy_list.h"

namespace sallyport::app {

namespace {

using Errors = config::ConfigErrors;

Result<std::vector<session::Listener>> make_listeners(const config::Settings& settings) {
  std::vector<session::Listener> listeners;
  for (const config::ListenSettings& listen : settings.listen) {
    session::Listener& listener = listeners.emplace_back(session::Listener{listen, nullptr});
    const bool has_tls = listen.protocol == config::ListenProtocol::smtp && listen.tls != config::ListenTls::off;
    if (!has_tls || settings.tls.certificates.empty()) continue;
    auto context = tls::make_server_context(config::tls_of(settings, listen));
    if (!context) return std::move(context).error();
    listener.tls = std::move(*context);
  }
  return listeners;
}

Result<upstream::ClientContexts> make_client_contexts(const config::Settings& settings) {
  upstream::ClientContexts contexts;
  for (const auto& [name, upstream] : settings.upstreams) {
    if (upstream.tls.mode == tls::UpstreamTls::off) continue;
    auto context = tls::make_client_context(upstream.tls);
    if (!context) return std::move(context).error();
    contexts.emplace(name, std::move(*context));
  }
  return contexts;
}

// Rules whose tests fail are not served by. What fails is told with its place, and nothing else is looked for then: the
// tests may take their time, so they are run once.
Errors test_rules(const config::Settings& settings) {
  const lua::RuleSettings& common = settings.policy.of(lua::rules_section);
  std::vector<const lua::RuleSettings*> all{&common};
  for (const auto& [name, tenant] : settings.tenants) {
    const lua::RuleSettings& own = config::policy_of(settings, tenant).of(lua::rules_section);
    if (&own != &common) all.push_back(&own);
  }
  for (const lua::RuleSettings* rules : all) {
    if (rules->mode.mode == policies::Mode::off) continue;
    if (Errors failing = cli::failing_rule_tests(*rules); !failing.empty()) return failing;
  }
  return {};
}

// A worker's plans, and what their gatherers refer to: it goes after them.
struct Prepared {
  policies::OwnNames own;
  std::shared_ptr<const checks::WorkerPlans> plans;
};

// One for each line: that is how a policy says that several things of it are wrong. Those that name their place
// themselves ("FILE:LINE:COL: error: ...") would do so twice here, but `check` has found them by then.
Errors errors_of(const std::string& message, const std::string& config_file) {
  Errors errors;
  std::string_view rest = message;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    errors.push_back({{config_file, 1, 1}, std::string(rest.substr(0, end))});
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return errors;
}

}  // namespace

SnapshotBuilder::SnapshotBuilder(CommonParts& common, std::string config_file, std::size_t workers)
    : common_(common), config_file_(std::move(config_file)), learned_(workers) {
  for (policies::Learned& learned : learned_) {
    learned.of<policies::ListTable>() = common.lists;
    learned.of<lua::RuleBook>() = common.rules;
    learned.of<lua::RuleServices>() = {&common.memory, nullptr, &common.list_files};
  }
}

void SnapshotBuilder::use_http(std::size_t worker, io::HttpClient& http) {
  learned_.at(worker).of<lua::RuleServices>().http = &http;
}

void SnapshotBuilder::use_milters(std::size_t worker, policies::MilterPool& pool) {
  pool.divide_among(workers());
  learned_.at(worker).of<policies::MilterServices>() = {
      &pool, common_.spool.get(),
      [&slots = common_.slots](const IpAddress& client) { return slots.sessions_of(client); }};
}

Result<Built, Errors> SnapshotBuilder::build() {
  const crypto::WipingScope wiping;
  config::Outcome outcome = config::read_configuration(config_file_, config::Disk());
  if (outcome.errors.empty()) return build(std::move(outcome.loaded));
  // All errors in one go, those in the files that the configuration names too.
  Errors errors = std::move(outcome.errors);
  Errors behind = cli::check_files(outcome.loaded, config_file_, std::chrono::system_clock::now()).errors;
  errors.insert(errors.end(), std::make_move_iterator(behind.begin()), std::make_move_iterator(behind.end()));
  return errors;
}

Result<Built, Errors> SnapshotBuilder::build(config::Loaded loaded) {
  const crypto::WipingScope wiping;  // of the keys that it reads
  const auto addresses = [this](std::string_view name) { return common_.registry.names().addresses(name); };
  Errors doors = config::find_own_doors(loaded, config_file_, config::addresses_of_this_host(), addresses);
  if (!doors.empty()) return doors;
  if (!common_.transparent_helper) {
    Errors late = cli::at_transparent_upstreams(loaded, config_file_,
                                                "client_info = \"tproxy\" takes a helper process, which only a start "
                                                "with this setting makes: restart the daemon");
    if (!late.empty()) return late;
  }
  if (Errors failing = test_rules(*loaded.settings); !failing.empty()) return failing;
  auto built = make(loaded);
  if (built) return std::move(*built);
  // The first failure has ended the build; now all there are, each with its place.
  Errors errors = cli::check_files(loaded, config_file_, std::chrono::system_clock::now()).errors;
  if (errors.empty()) errors = errors_of(built.error().message, config_file_);
  return errors;
}

Result<Built> SnapshotBuilder::make(config::Loaded loaded) {
  const config::Settings& settings = *loaded.settings;
  auto snapshot = std::make_shared<session::Snapshot>();
  snapshot->settings = loaded.settings;
  snapshot->hash = loaded.hash;
  auto listeners = make_listeners(settings);
  if (!listeners) return std::move(listeners).error();
  snapshot->listeners = std::move(*listeners);
  auto contexts = make_client_contexts(settings);
  if (!contexts) return std::move(contexts).error();
  snapshot->upstreams = common_.registry.make_groups(settings, *contexts);
  snapshot->plans = session::make_plans(settings, policies::policy_list());

  Built built{std::move(loaded), std::move(snapshot), {}};
  common_.rules.begin_load();
  for (policies::Learned& learned : learned_) {
    auto prepared = prepare(built.snapshot, learned);
    if (!prepared) return std::move(prepared).error();
    built.for_workers.push_back(std::move(*prepared));
  }
  return built;
}

std::shared_ptr<const session::Snapshot> SnapshotBuilder::regroup(const session::Snapshot& snapshot) const {
  auto next = std::make_shared<session::Snapshot>(snapshot);
  upstream::ClientContexts contexts;
  for (const auto& [name, group] : snapshot.upstreams) contexts.emplace(name, group->tls);
  next->upstreams = common_.registry.make_groups(*snapshot.settings, contexts);
  return next;
}

Result<std::shared_ptr<const session::WorkerSnapshot>> SnapshotBuilder::prepare(
    std::shared_ptr<const session::Snapshot> snapshot, policies::Learned& learned) {
  auto prepared = std::make_shared<Prepared>();
  prepared->own = session::own_names(snapshot->settings->hostname, snapshot->plans);
  const policies::GathererParts parts{learned, common_.rates,           common_.suffixes, prepared->own,
                                      {},      policies::policy_names()};
  auto plans = checks::WorkerPlans::prepare(snapshot->plans, parts);
  if (!plans) return std::move(plans).error();
  prepared->plans = std::move(*plans);
  // Whoever holds the plans holds the names too.
  std::shared_ptr<const checks::WorkerPlans> held(prepared, prepared->plans.get());
  return std::make_shared<const session::WorkerSnapshot>(session::WorkerSnapshot{std::move(snapshot), std::move(held)});
}

}  // namespace sallyport::app
