#include "gateway/config/load.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/config/collect.h"
#include "gateway/config/cross_check.h"
#include "gateway/config/document.h"
#include "gateway/config/key_path.h"

namespace sallyport::config {
namespace {

constexpr std::string_view resolv_conf = "/etc/resolv.conf";

Value default_value(const Key& key) {
  ConfigErrors errors;
  auto document = parse_document("value = " + key.default_toml(), {});
  ensure(document.ok(), "configuration: a default that is not TOML");
  auto value = parse_value(document->members.front().value, key.shape(), "/", errors);
  if (!value) broken("configuration: a default that its own key refuses");
  return std::move(*value);
}

// A single value where the key it stands for takes a list.
Value widened(const Value& value) {
  if (const auto* address = std::get_if<SocketAddress>(&value)) return std::vector{*address};
  return value;
}

bool is_empty(const Value& value) { return std::get<std::vector<SocketAddress>>(value).empty(); }

std::string fnv_1a(const std::vector<Effective>& values) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  for (const Effective& value : values) {
    mix(value.path);
    mix(" = ");
    mix(value.toml);
    mix("\n");
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

// The second half of loading: what was said becomes what counts.
class Resolver {
 public:
  Resolver(const std::string& file, const Files& files, Collected collected)
      : file_(file), files_(files), said_(std::move(collected)) {}

  Outcome resolve() {
    spell_out_sugar();
    complete_collections();
    for (const Key& key : settings_table())
      if (key.field.exists()) settle(key);
    if (!said_.incomplete) cross_check(settings_, {file_, places_}, said_.errors);
    return finish();
  }

 private:
  // `upstream` and `domains` set the key they stand for.
  void spell_out_sugar() {
    for (const Key& key : settings_table()) {
      if (key.stands_for.empty()) continue;
      const auto place = said_.places.find(key.path);
      if (place == said_.places.end()) continue;
      const Instance instance{"default", 0};
      const std::string target = full_path(key.stands_for, instance);
      const auto [other, first] = said_.places.emplace(target, place->second);
      if (!first) {
        said_.errors.push_back({place->second, std::string(key.path) + " is short for " + target +
                                                   ", which is already set at " + other->second.to_string()});
        continue;
      }
      said_.add_instance(collection_of(key.stands_for), instance, place->second);
      if (const auto given = said_.values.find(key.path); given != said_.values.end())
        said_.values.emplace(target, Given{&key, instance, widened(given->second.value), place->second});
    }
  }

  // One listener and the tenant "default" are there without being named.
  void complete_collections() {
    const Origin top{file_, 1, 1};
    if (said_.instances["listen[]"].empty()) said_.add_instance("listen[]", {}, top);
    said_.add_instance("tenants.*", {"default", 0}, top);
    if (said_.instances["upstreams.*"].empty() && !said_.incomplete)
      said_.errors.push_back({top,
                              "upstream is required: the address of the mail server behind this gateway, such as "
                              "\"10.0.0.5:25\""});
  }

  void settle(const Key& key) {
    const std::string_view collection = collection_of(key.path);
    if (collection.empty()) {
      settle(key, {{}, {file_, 1, 1}});
      return;
    }
    for (const InstanceAt& instance : said_.instances[std::string(collection)]) settle(key, instance);
  }

  void settle(const Key& key, const InstanceAt& instance) {
    const std::string path = full_path(key.path, instance.which);
    const auto given = said_.values.find(path);
    const bool asks_system =
        key.path == "dns.servers" && (given == said_.values.end() || is_empty(given->second.value));
    if (given != said_.values.end() && !asks_system) {
      store(key, instance.which, path, given->second.value, given->second.at);
      return;
    }
    if (said_.places.contains(path) && given == said_.values.end()) return;  // given, but with a value that was refused
    if (const auto general = said_.values.find(key.falls_back_to); general != said_.values.end()) {
      store(key, instance.which, path, general->second.value, general->second.at);
    } else if (asks_system) {
      store(key, {}, path, system_name_servers(), {std::string(resolv_conf), 0, 0});
    } else if (key.by_default) {
      store(key, instance.which, path, default_value(key), {});
    } else if (!said_.incomplete) {
      missing(key, path, instance);
    }
  }

  Value system_name_servers() const {
    // Without the file: this host, as resolv.conf(5) says.
    const auto content = files_.read(std::string(resolv_conf));
    return resolver::servers_of_resolv_conf(content ? *content : std::string());
  }

  void missing(const Key& key, const std::string& path, const InstanceAt& instance) {
    std::string message = path == "tenants.default.domains" ? "domains" : path;
    message += " is required: expected " + expectation(key.shape());
    said_.errors.push_back({instance.at, std::move(message)});
  }

  void store(const Key& key, const Instance& which, const std::string& path, const Value& value, const Origin& origin) {
    key.field.write(settings_, which, value);
    values_.push_back({&key, which, path, to_toml(key.field.read(settings_, which), key.type), origin});
    places_.emplace(path, origin);
  }

  Outcome finish() {
    // The main file first, then the others by name: as somebody would go through them.
    std::stable_sort(said_.errors.begin(), said_.errors.end(), [this](const ConfigError& a, const ConfigError& b) {
      const auto order = [this](const ConfigError& error) {
        return std::tuple(error.at.file != file_, std::string_view(error.at.file), error.at.line, error.at.column);
      };
      return order(a) < order(b);
    });
    Outcome outcome;
    outcome.loaded.settings = std::make_shared<const Settings>(std::move(settings_));
    outcome.loaded.hash = fnv_1a(values_);
    outcome.loaded.values = std::move(values_);
    outcome.errors = std::move(said_.errors);
    return outcome;
  }

  const std::string& file_;
  const Files& files_;
  Collected said_;
  Settings settings_;
  std::vector<Effective> values_;
  std::map<std::string, Origin, std::less<>> places_;
};

}  // namespace

Origin Loaded::origin_of(std::string_view path) const {
  for (const Effective& value : values)
    if (value.path == path) return value.origin;
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
