#include "gateway/cli/check_policies.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>

#include "gateway/base/directory.h"
#include "gateway/base/public_suffix.h"
#include "gateway/base/text.h"
#include "gateway/checks/redirects.h"
#include "gateway/cli/rule_test_errors.h"
#include "gateway/config/key_path.h"
#include "gateway/config/worker_count.h"
#include "gateway/io/rate_store.h"
#include "gateway/tls/context.h"
#include "lua/engine/rule_set.h"
#include "policies/advisers.h"
#include "policies/policy_list.h"

namespace sallyport::cli {
namespace {

namespace fs = std::filesystem;

// Nothing is counted here: no mail is judged.
class NoRates final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string, Rate) override { co_return io::RateAnswer(); }
};

// Where an adviser's words go.
class AdviceOfOne final : public policies::Advice {
 public:
  AdviceOfOne(const config::Loaded& loaded, const settings::Section& section, const std::string& tenant,
              CheckReport& report)
      : loaded_(loaded), prefix_(config::tenant_prefix(tenant) + std::string(section.path) + "."), report_(report) {}

  std::string path(std::string_view key) const override { return prefix_ + std::string(key); }
  bool is_given(std::string_view key) const override { return find(key) != nullptr; }
  bool is_listened_on(const Endpoint& address) const override {
    const auto& listeners = loaded_.settings->listen;
    return std::any_of(listeners.begin(), listeners.end(),
                       [&address](const config::ListenSettings& listen) { return listen.address == address; });
  }
  std::size_t workers() const override { return config::worker_count(*loaded_.settings); }
  void warn(std::initializer_list<std::string_view> keys, std::string message) override {
    for (const std::string_view key : keys) {
      const config::Effective* value = find(key);
      if (value == nullptr) continue;
      report_.warn(value->origin, std::move(message));
      return;
    }
  }

 private:
  const config::Effective* find(std::string_view key) const {
    const std::string full = path(key);
    const auto found = std::find_if(loaded_.values.begin(), loaded_.values.end(), [&](const config::Effective& value) {
      return value.path == full && !value.origin.is_default();
    });
    return found == loaded_.values.end() ? nullptr : &*found;
  }

  const config::Loaded& loaded_;
  const std::string prefix_;
  CheckReport& report_;
};

class PolicyCheck {
 public:
  PolicyCheck(const config::Loaded& loaded, const std::string& config_file, CheckReport& report)
      : loaded_(loaded), settings_(*loaded.settings), config_file_(config_file), report_(report) {
    own_.hostname = settings_.hostname;
    own_.serves = [](std::string_view) { return false; };
  }

  void run() {
    for (const policies::PolicyEntry* entry : policies::policy_list()) {
      const void* common = settings_.policy.of(entry->settings);
      prepare(*entry, common, {});
      for (const auto& [name, tenant] : settings_.tenants) {
        const void* own = config::policy_of(settings_, tenant).of(entry->settings);
        if (own != common) prepare(*entry, own, name);
      }
    }
    advise({}, settings_.policy);
    for (const auto& [name, tenant] : settings_.tenants) advise(name, config::policy_of(settings_, tenant));
    unread_rules(settings_.policy.of(lua::rules_section), {});
    for (const auto& [name, tenant] : settings_.tenants) {
      const settings::Set& own = config::policy_of(settings_, tenant);
      if (&own.of(lua::rules_section) != &settings_.policy.of(lua::rules_section))
        unread_rules(own.of(lua::rules_section), name);
    }
  }

 private:
  void prepare(const policies::PolicyEntry& entry, const void* of_entry, const std::string& tenant) {
    if (entry.prepare == nullptr || entry.mode(of_entry) == policies::Mode::off) return;
    if (&entry.settings == &lua::rules_section) return rules(*static_cast<const lua::RuleSettings*>(of_entry), tenant);
    policies::Learned learned;
    const auto made = entry.prepare(of_entry, {learned, rates_, suffixes_, own_, tenant, policies::policy_names()});
    if (!made) report_.fail(place(entry.settings, tenant), made.error().message);
  }

  // Each rule that is wrong has a place of its own.
  void rules(const lua::RuleSettings& settings, const std::string& tenant) {
    web_authorities(settings, tenant);
    const auto set = lua::RuleSet::load(settings, policies::policy_names(), nullptr, redirects_of(tenant));
    if (set) {
      unused(**set, tenant);
      // The gateway does not load rules whose tests fail.
      for (config::ConfigError& error : failing_rule_tests(settings)) report_.errors.push_back(std::move(error));
      return;
    }
    for (const lua::LoadError& error : set.error()) {
      if (error.line <= 0) {
        // Of the directory or a whole file: what leads there is the configuration.
        const std::string& where = error.file.empty() ? settings.path : error.file;
        report_.fail(place(lua::rules_section, tenant), where.empty() ? error.message : where + ": " + error.message);
        continue;
      }
      const auto column = static_cast<std::uint32_t>(std::max(error.column, 1));
      report_.fail({error.file, static_cast<std::uint32_t>(error.line), column}, error.message);
    }
  }

  // The gateway starts all the same: only what rules ask by https has no answer.
  void web_authorities(const lua::RuleSettings& settings, const std::string& tenant) {
    if (settings.http.empty() || settings.http_ca.empty()) return;
    const auto context = tls::make_client_context({tls::UpstreamTls::verify, {}, settings.http_ca});
    if (context) return;
    const std::string key = config::tenant_prefix(tenant) + std::string(lua::rules_section.path) + ".http_ca";
    report_.warn(loaded_.origin_of(key),
                 context.error().message + "; no web server that rules ask by https is believed");
  }

  // Modes of rules or groups that do not exist. A tenant with rules of its own is not told of everybody's.
  void unused(const lua::RuleSet& set, const std::string& tenant) {
    for (const lua::UnusedSetting& setting : set.unused_settings()) {
      const std::string key = config::tenant_prefix(tenant) + std::string(lua::rules_section.path) + "." + setting.key;
      const config::Origin at = loaded_.origin_of(key);
      if (!at.is_default()) report_.warn(at, setting.why);
    }
  }

  // The names that sp.redirect may name. Without a tenant: all of them.
  std::vector<std::string> redirects_of(const std::string& tenant) const {
    std::vector<std::string> upstreams;
    for (const auto& [name, upstream] : settings_.upstreams) upstreams.push_back(name);
    const auto own = settings_.tenants.find(tenant);
    if (own == settings_.tenants.end()) return upstreams;
    std::vector<std::string_view> of_others;
    for (const auto& [name, other] : settings_.tenants) {
      if (name != tenant) of_others.push_back(other.upstream);
    }
    return checks::redirects_of(own->second.upstream, of_others, upstreams);
  }

  // What is read for a check is a file as a rule: where its name was given; else where the first key of the section
  // was. The tenant's own keys come before everybody's.
  config::Origin place(const settings::Section& section, const std::string& tenant) const {
    const config::Effective* best = nullptr;
    const auto worth = [&](const config::Effective& value) {
      const bool is_file = value.key->row->type == &settings::type::path && value.toml != "\"\"";
      return (is_file ? 2 : 0) + (value.tenant == tenant ? 1 : 0);
    };
    for (const config::Effective& value : loaded_.values) {
      if (value.key == nullptr || value.key->section != &section || value.origin.is_default()) continue;
      if (!value.tenant.empty() && value.tenant != tenant) continue;
      if (best == nullptr || worth(value) > worth(*best)) best = &value;
    }
    return best ? best->origin : config::Origin{config_file_, 1, 1};
  }

  void advise(const std::string& tenant, const settings::Set& own) {
    for (const policies::Adviser& adviser : policies::advisers()) {
      const void* of_section = own.of(adviser.section);
      if (!tenant.empty() && of_section == settings_.policy.of(adviser.section)) continue;
      AdviceOfOne advice(loaded_, adviser.section, tenant, report_);
      adviser.advise(of_section, advice);
    }
  }

  // Files that look like rules and are not read, as their names do not end in ".lua".
  void unread_rules(const lua::RuleSettings& rules, const std::string& tenant) {
    if (rules.path.empty() || rules.mode == policies::Mode::off) return;
    const config::Origin at =
        place_of(loaded_, config_file_, config::tenant_prefix(tenant) + std::string(lua::rules_section.path) + ".path");
    std::size_t read = 0;
    Directory directory(rules.path);
    while (const auto name = directory.next()) {
      const fs::path path = fs::path(rules.path) / *name;
      std::error_code unknown;
      if (fs::is_directory(path, unknown)) {
        if (has_rules(path))
          report_.warn(at, path.string() + " is not read: directories below policy.rules.path are left out");
      } else if (path.extension() == ".lua") {
        if (path.filename().string().ends_with("_test.lua")) continue;
        ++read;
        if (has_milter_listener()) unfollowed_redirect(path);
      } else if (looks_like_rules(path)) {
        report_.warn(at, path.string() + " is not read: the name of a file of rules ends in \".lua\"");
      }
    }
    if (directory.error() == 0 && read == 0) report_.warn(at, rules.path + " has no file of rules (*.lua)");
  }

  static bool has_rules(const fs::path& path) {
    Directory directory(path.string());
    while (const auto name = directory.next()) {
      if (fs::path(*name).extension() == ".lua") return true;
    }
    return false;
  }

  static bool looks_like_rules(const fs::path& path) {
    const std::string name = text::to_lower(path.filename().string());
    if (name.find(".lua") != name.npos) return true;
    return beginning_of(path).find("sp.rule") != std::string::npos;
  }

  static std::string beginning_of(const fs::path& path) {
    constexpr std::size_t looked_at = 64 * 1024;
    std::string content(looked_at, 0);
    std::ifstream file(path, std::ios::binary);
    file.read(content.data(), looked_at);
    content.resize(static_cast<std::size_t>(file.gcount()));
    return content;
  }

  bool has_milter_listener() const {
    return std::any_of(settings_.listen.begin(), settings_.listen.end(), [](const config::ListenSettings& listen) {
      return listen.protocol == config::ListenProtocol::milter;
    });
  }

  // An MTA that has its mail judged delivers it itself.
  void unfollowed_redirect(const fs::path& path) {
    const std::string content = beginning_of(path);
    std::uint32_t number = 0;
    for (const std::string_view line : text::split(content, '\n')) {
      ++number;
      const std::size_t at = line.find("sp.redirect");
      if (at == std::string_view::npos || text::trim(line).starts_with("--")) continue;
      report_.warn({path.string(), number, static_cast<std::uint32_t>(at) + 1},
                   "sp.redirect cannot be followed for mail that comes by protocol = \"milter\", which is put off then "
                   "(451 4.3.5)");
      return;
    }
  }

  const config::Loaded& loaded_;
  const config::Settings& settings_;
  const std::string& config_file_;
  CheckReport& report_;
  NoRates rates_;
  PublicSuffixList suffixes_;
  policies::OwnNames own_;
};

}  // namespace

void check_policies(const config::Loaded& loaded, const std::string& config_file, CheckReport& report) {
  PolicyCheck(loaded, config_file, report).run();
}

std::size_t count_rules(const config::Loaded& loaded) {
  const config::Settings& settings = *loaded.settings;
  const auto source_of = [](const lua::RuleSettings& rules) { return std::pair(rules.path, rules.shipped); };
  std::set<std::pair<std::string, std::vector<std::string>>> sources{source_of(settings.policy.of(lua::rules_section))};
  for (const auto& [name, tenant] : settings.tenants)
    sources.insert(source_of(config::policy_of(settings, tenant).of(lua::rules_section)));
  std::size_t count = 0;
  for (const auto& [path, shipped] : sources) {
    lua::RuleSettings rules = settings.policy.of(lua::rules_section);
    rules.path = path;
    rules.shipped = shipped;
    if (const auto set = lua::RuleSet::load(rules)) count += (*set)->rules().size();
  }
  return count;
}

// Names below a collection that a policy calls zones, each once, whoever has it.
std::size_t count_lists(const config::Loaded& loaded) {
  std::set<std::pair<std::string_view, std::string>> lists;
  for (const config::Effective& value : loaded.values) {
    const bool is_of_list =
        value.key != nullptr && value.key->is_policy() && value.key->row->key.starts_with("zones.*.");
    if (is_of_list) lists.emplace(value.key->section->path, value.which.front().name);
  }
  return lists.size();
}

}  // namespace sallyport::cli
