#include "gateway/config/dead_settings.h"

#include <algorithm>
#include <set>
#include <utility>

#include "gateway/base/network_cover.h"
#include "gateway/config/key_path.h"

namespace sallyport::config {
namespace {

class DeadSettings {
 public:
  DeadSettings(const Loaded& loaded, const std::string& config_file)
      : loaded_(loaded), settings_(*loaded.settings), config_file_(config_file) {}

  ConfigErrors find() {
    checks_that_are_off();
    unused_upstreams();
    upstream_tls();
    unseen_clients();
    unused_certificates();
    everybody_trusted();
    return std::move(warnings_);
  }

 private:
  void warn(const std::string& path, std::string message) {
    Origin at = loaded_.origin_of(path);
    if (at.is_default()) at = {config_file_, 1, 1};
    warnings_.push_back({std::move(at), std::move(message)});
  }

  const Effective* find_value(const std::string& path) const {
    const auto found = std::find_if(loaded_.values.begin(), loaded_.values.end(),
                                    [&](const Effective& value) { return value.path == path; });
    return found == loaded_.values.end() ? nullptr : &*found;
  }

  bool is_off(const std::string& tenant, const settings::Section& section) const {
    const std::string path = std::string(section.path) + ".mode";
    const Effective* mode = tenant.empty() ? nullptr : find_value(tenant_prefix(tenant) + path);
    if (mode == nullptr) mode = find_value(path);
    return mode != nullptr && mode->toml == settings::quote("off");
  }

  // For everybody whose settings a value may be: the tenant that gives it, or all that do not override the mode.
  bool is_off_for_all(const std::string& tenant, const settings::Section& section) const {
    if (!is_off(tenant, section)) return false;
    if (!tenant.empty()) return true;
    return std::all_of(settings_.tenants.begin(), settings_.tenants.end(),
                       [&](const auto& named) { return is_off(named.first, section); });
  }

  // One warning for each check, and each tenant that sets it up.
  void checks_that_are_off() {
    std::set<std::pair<std::string, std::string_view>> said;
    for (const Effective& value : loaded_.values) {
      if (value.origin.is_default() || value.key == nullptr || !value.key->is_policy()) continue;
      const settings::Section& section = *value.key->section;
      if (value.key->row->key == "mode" || !is_off_for_all(value.tenant, section)) continue;
      if (!said.emplace(value.tenant, section.path).second) continue;
      const std::string check = tenant_prefix(value.tenant) + std::string(section.path);
      warnings_.push_back({value.origin, check + " is off, so that what is set for it has no effect: it takes " +
                                             check + ".mode = \"enforce\" or \"shadow\""});
    }
  }

  // Some check may send mail of its own through one.
  enum class Named : std::uint8_t { anywhere, in_a_file };
  bool is_named_by_a_check(const std::string& upstream, Named named = Named::anywhere) const {
    return std::any_of(loaded_.values.begin(), loaded_.values.end(), [&](const Effective& value) {
      if (named == Named::in_a_file && value.origin.is_default()) return false;
      return value.key != nullptr && value.key->is_policy() && value.path.ends_with("upstream") &&
             value.toml == settings::quote(upstream);
    });
  }

  void unused_upstreams() {
    if (is_milter_alone(settings_)) return upstreams_behind_milters();
    for (const auto& [name, upstream] : settings_.upstreams) {
      const bool has_tenant = std::any_of(settings_.tenants.begin(), settings_.tenants.end(),
                                          [&](const auto& named) { return named.second.upstream == name; });
      if (has_tenant || is_named_by_a_check(name)) continue;
      const std::string path = full_path("upstreams.*", {name});
      warn(path + ".servers", path + " is not used: no tenant names it as its upstream");
    }
  }

  void upstreams_behind_milters() {
    for (const auto& [name, upstream] : settings_.upstreams) {
      if (is_named_by_a_check(name, Named::in_a_file)) continue;
      const std::string path = full_path("upstreams.*", {name});
      warn(path + ".servers", path +
                                  " is not used: every listener has protocol = \"milter\", and the MTAs that ask "
                                  "there deliver the mail themselves");
    }
  }

  void upstream_tls() {
    for (const auto& [name, upstream] : settings_.upstreams) {
      const std::string path = full_path("upstreams.*", {name});
      const bool verifies = upstream.tls.mode == tls::UpstreamTls::verify;
      if (!verifies && !upstream.tls.ca_file.empty())
        warn(path + ".tls_ca", "tls_ca is used with tls = \"verify\" alone: otherwise any certificate will do");
      if (!verifies || !upstream.tls.name.empty()) continue;
      const auto bare = std::find_if(upstream.servers.begin(), upstream.servers.end(),
                                     [](const Endpoint& server) { return !server.is_name() && !server.is_unix(); });
      if (bare != upstream.servers.end())
        warn(path + ".tls", "a certificate for the bare address " + bare->address().ip.to_string() +
                                " is wanted, and few servers have one: set tls_name to the name that it bears");
    }
  }

  void unseen_clients() {
    for (const auto& [name, upstream] : settings_.upstreams) {
      if (upstream.client_info != ClientInfoWay::tproxy || upstream.servers.empty()) continue;
      const bool has_none = std::all_of(upstream.servers.begin(), upstream.servers.end(),
                                        [](const Endpoint& server) { return server.is_unix(); });
      if (has_none)
        warn(full_path("upstreams.*.client_info", {name}),
             "client_info = \"tproxy\" has no effect: a unix-domain socket has no client address");
    }
  }

  void unused_certificates() {
    if (settings_.tls.certificates.empty()) return;
    const bool are_used =
        std::any_of(settings_.listen.begin(), settings_.listen.end(), [](const ListenSettings& listener) {
          return listener.tls != ListenTls::off && listener.protocol == ListenProtocol::smtp;
        });
    if (!are_used) warn("tls.cert", "tls.cert is not used: every listener has tls = \"off\"");
  }

  void everybody_trusted() {
    const bool all_v4 = cover_all(settings_.trusted.networks, Family::v4);
    if (!all_v4 && !cover_all(settings_.trusted.networks, Family::v6)) return;
    warn("trusted.networks", std::string("every client with an IPv") + (all_v4 ? "4" : "6") +
                                 " address is trusted: none of them has rates, a bound on sessions or DNS lists");
  }

  const Loaded& loaded_;
  const Settings& settings_;
  const std::string& config_file_;
  ConfigErrors warnings_;
};

}  // namespace

ConfigErrors find_dead_settings(const Loaded& loaded, const std::string& config_file) {
  return DeadSettings(loaded, config_file).find();
}

}  // namespace sallyport::config
