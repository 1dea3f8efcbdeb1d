#include "gateway/config/load.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/config/collect.h"
#include "gateway/config/cross_check.h"
#include "gateway/config/key_path.h"
#include "gateway/config/overrides.h"
#include "gateway/config/value_list.h"

namespace sallyport::config {
namespace {

constexpr std::string_view resolv_conf = "/etc/resolv.conf";

// The second half of loading: makes Settings and effective values of the collected keys.
class Resolver {
 public:
  Resolver(const std::string& file, const Files& files, Collected collected)
      : file_(file), files_(files), said_(std::move(collected)) {}

  Outcome resolve() {
    spell_out_sugar();
    complete_collections();
    for (const Key& key : settings_table())
      if (key.is_effective()) settle(key);
    settle_tenants();
    if (!said_.incomplete) cross_check(settings_, {file_, said_, values_}, said_.errors);
    return finish();
  }

 private:
  // The short forms `upstream` and `domains` set the keys that they stand for.
  void spell_out_sugar() {
    for (const Key& key : settings_table()) {
      const std::string_view meant = key.row->options.stands_for;
      if (meant.empty()) continue;
      const auto place = said_.places.find(key.path);
      if (place == said_.places.end()) continue;
      const std::string target = full_path(meant, default_places());
      const auto [other, first] = said_.places.emplace(target, place->second);
      if (!first) {
        said_.errors.push_back({place->second, key.path + " is short for " + target + ", which is already set at " +
                                                   other->second.to_string()});
        continue;
      }
      said_.add_instance(full_path(meant, {}), default_places().front(), place->second);
      if (const auto given = said_.values.find(key.path); given != said_.values.end()) {
        Given spelled_out = given->second;
        spelled_out.which = default_places();
        said_.values.emplace(target, std::move(spelled_out));
      }
    }
  }

  static Places default_places() { return {Place(std::string("default"))}; }

  // Adds a listener when none is configured, and the tenant "default" when there is no tenant.
  void complete_collections() {
    const Origin top{file_, 1, 1};
    if (said_.instances["listen[]"].empty()) said_.add_instance("listen[]", Place(0), top);
    if (said_.instances["tenants.*"].empty()) said_.add_instance("tenants.*", default_places().front(), top);
    const bool has_upstream = !said_.instances["upstreams.*"].empty() || said_.misplaced.contains("upstream");
    if (!has_upstream && !said_.incomplete && is_mail_relayed())
      said_.errors.push_back({top,
                              "upstream is required: the address of the mail server behind this gateway, such as "
                              "\"10.0.0.5:25\""});
  }

  // False: MTAs ask us about their mail, and that is all.
  bool is_mail_relayed() {
    const std::vector<InstanceAt>& listeners = said_.instances["listen[]"];
    return std::any_of(listeners.begin(), listeners.end(), [this](const InstanceAt& listener) {
      const auto given = said_.values.find(full_path("listen[].protocol", {listener.place}));
      return given == said_.values.end() || given->second.value.text != word(ListenProtocol::milter);
    });
  }

  void settle(const Key& key) { settle(key, {}, {file_, 1, 1}); }

  // Settles each instance of a key below these places; `at` is where the last of them was named.
  void settle(const Key& key, const Places& which, const Origin& at) {
    const std::string path = full_path(key.path, which);
    if (which.size() == key.places) {
      settle(key, which, path, at);
      return;
    }
    const auto list = said_.instances.find(path);
    if (list == said_.instances.end()) return;
    for (const InstanceAt& instance : list->second) {
      Places longer = which;
      longer.push_back(instance.place);
      settle(key, longer, instance.at);
    }
  }

  void settle(const Key& key, const Places& which, const std::string& path, const Origin& at) {
    const auto given = said_.values.find(path);
    if (given != said_.values.end() && !asks_system(key, given->second)) {
      store(key, which, path, given->second);
      return;
    }
    if (said_.places.contains(path) && given == said_.values.end()) return;  // given, but its value was refused
    if (const auto general = said_.values.find(key.falls_back_to().key); general != said_.values.end())
      store(key, which, path, general->second);
    else if (key.path == name_servers)
      store_name_servers(key, path);
    else if (key.by_default)
      store_default(key, which, path);
    else if (!said_.incomplete)
      missing(key, path, at);
  }

  static constexpr std::string_view name_servers = "dns.servers";

  // An empty list of name servers means those of the system.
  static bool asks_system(const Key& key, const Given& given) {
    return key.path == name_servers && given.value.items.empty();
  }

  void missing(const Key& key, const std::string& path, const Origin& at) {
    std::string message = path == "tenants.default.domains" ? "domains" : path;
    if (said_.misplaced.contains(message)) return;
    message += " is required: expected " + key.row->type->expectation();
    said_.errors.push_back({at, std::move(message)});
  }

  void store(const Key& key, const Places& which, const std::string& path, const Given& given) {
    void* member = key.member(settings_, which);
    // A short form is read by its own type: one address, where the key it stands for takes a list.
    const Key& reader = given.key->row->options.stands_for.empty() ? key : *given.key;
    ensure(reader.read(given.value, given.directory, member, said_.errors),
           "configuration: a value that the key refuses which falls back to it");
    values_.add({&key, {}, which, path, key.row->type->to_toml(member), given.at});
  }

  // The struct already holds the default; only the effective value is added.
  void store_default(const Key& key, const Places& which, const std::string& path) {
    std::string toml = key.row->type->to_toml(key.member(settings_, which));
    if (toml.empty()) {
      const Effective* general = values_.find(key.falls_back_to().key);
      ensure(general != nullptr, "configuration: no value to fall back to");
      toml = general->toml;
    }
    values_.add({&key, {}, which, path, std::move(toml), {}});
  }

  void store_name_servers(const Key& key, const std::string& path) {
    // Without that file the resolver of this host is used (resolv.conf(5)).
    const auto content = files_.read(std::string(resolv_conf));
    settings_.dns.servers = resolver::servers_of_resolv_conf(content ? *content : std::string());
    values_.add({&key, {}, {}, path, key.row->type->to_toml(&settings_.dns.servers), {std::string(resolv_conf), 0, 0}});
  }

  void settle_tenants() {
    Overrides overrides(said_, values_);
    for (auto& [name, tenant] : settings_.tenants) {
      tenant.policy = settings_.policy;
      overrides.apply(name, tenant.policy, said_.errors);
    }
  }

  Outcome finish() {
    sort(said_.errors);
    Outcome outcome;
    outcome.loaded.settings = std::make_shared<const Settings>(std::move(settings_));
    outcome.loaded.hash = values_.hash();
    outcome.loaded.values = values_.take();
    outcome.errors = std::move(said_.errors);
    outcome.warnings = std::move(said_.warnings);
    return outcome;
  }

  // Those of the main file first, then those of the other files by name.
  void sort(ConfigErrors& list) const {
    std::stable_sort(list.begin(), list.end(), [this](const ConfigError& a, const ConfigError& b) {
      const auto order = [this](const ConfigError& error) {
        return std::tuple(error.at.file != file_, std::string_view(error.at.file), error.at.line, error.at.column);
      };
      return order(a) < order(b);
    });
  }

  const std::string& file_;
  const Files& files_;
  Collected said_;
  Settings settings_;
  ValueList values_;
};

}  // namespace

Origin Loaded::origin_of(std::string_view path) const {
  for (const Effective& value : values)
    if (value.path == path) return value.origin;
  // Not overridden: the origin of the global value.
  const auto segments = split_path(path);
  const bool is_tenants = segments && segments->size() > 3 && (*segments)[0] == "tenants" && (*segments)[2] == "policy";
  if (is_tenants) return origin_of(path.substr(tenant_prefix((*segments)[1]).size()));
  return {};
}

Outcome read_configuration(const std::string& file, const Files& files) {
  return Resolver(file, files, collect(file, files)).resolve();
}

Result<Loaded, ConfigErrors> load(const std::string& file, const Files& files) {
  Outcome outcome = read_configuration(file, files);
  if (!outcome.errors.empty()) return std::move(outcome.errors);
  return std::move(outcome.loaded);
}

}  // namespace sallyport::config
