#include "gateway/config/cross_check.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/base/address_overlap.h"
#include "gateway/base/text.h"
#include "gateway/config/key_path.h"

namespace sallyport::config {
namespace {

// The path under which the administrator wrote the tenant's domains: `domains` when the short form was used.
std::string domains_path(const std::string& tenant, const Origins& origins) {
  if (tenant == "default" && origins.said.places.contains("domains")) return "domains";
  return tenant_prefix(tenant) + "domains";
}

// Where a domain was assigned to a tenant.
struct Claim {
  std::string path;
  Origin at;
};

bool is_before(const Origin& a, const Origin& b) {
  return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
}

void check_tenant_domains(const Settings& settings, const Origins& origins, ConfigErrors& errors) {
  struct Owner {
    const std::string* tenant;
    std::size_t entry;
  };
  std::unordered_map<std::string_view, Owner> owners;
  for (const auto& [name, tenant] : settings.tenants) {
    for (std::size_t i = 0; i < tenant.domains.size(); ++i) {
      const auto [owner, first] = owners.emplace(tenant.domains[i], Owner{&name, i});
      if (first || *owner->second.tenant == name) continue;
      Claim one{domains_path(*owner->second.tenant, origins),
                origins.of_entry(tenant_prefix(*owner->second.tenant) + "domains", owner->second.entry)};
      Claim other{domains_path(name, origins), origins.of_entry(tenant_prefix(name) + "domains", i)};
      // Reported at the later of the two, in reading order.
      if (is_before(other.at, one.at)) std::swap(one, other);
      errors.push_back({other.at, tenant.domains[i] + " is already one of " + one.path + ", at " + one.at.to_string() +
                                      ": each domain belongs to one tenant"});
    }
  }
}

void check_tenant_upstreams(const Settings& settings, const Origins& origins, ConfigErrors& errors) {
  // Without any upstream another error is reported, which this one would only repeat, or there need be none.
  if (settings.upstreams.empty()) return;
  std::vector<std::string> upstreams;
  upstreams.reserve(settings.upstreams.size());
  for (const auto& [name, upstream] : settings.upstreams) upstreams.push_back(name);
  for (const auto& [name, tenant] : settings.tenants) {
    if (settings.upstreams.contains(tenant.upstream)) continue;
    std::string message = "there is no upstream named " + quote(tenant.upstream);
    const std::string_view meant = text::did_you_mean(tenant.upstream, upstreams);
    if (!meant.empty())
      message += "; did you mean " + quote(meant) + "?";
    else
      message += ": set " + tenant_prefix(name) + "upstream to one of " + text::join(upstreams, ", ");
    errors.push_back(
        {origins.of({tenant_prefix(name) + "upstream", tenant_prefix(name) + "domains"}), std::move(message)});
  }
}

// A certificate is held against a name, and a unix-domain socket has none.
void check_certificate_names(const Settings& settings, const Origins& origins, ConfigErrors& errors) {
  for (const auto& [name, upstream] : settings.upstreams) {
    if (upstream.tls.mode != tls::UpstreamTls::verify || !upstream.tls.name.empty()) continue;
    const auto socket = std::find_if(upstream.servers.begin(), upstream.servers.end(),
                                     [](const Endpoint& server) { return server.is_unix(); });
    if (socket == upstream.servers.end()) continue;
    const std::string section = full_path("upstreams.*", {name});
    errors.push_back({origins.of({section + ".tls", section + ".servers"}),
                      "tls = \"verify\" needs tls_name for " + socket->to_string() + ", which has no name of its own"});
  }
}

// An MTA that asks about its mail has spoken SMTP, TLS included, with the client itself. What is only said as it is
// anyway is no mistake: `config show` writes all of it.
void check_milter_listener(const ListenSettings& listener, const std::string& section, const Origins& origins,
                           ConfigErrors& errors) {
  static const ListenSettings untouched;
  const auto object_to = [&](bool is_changed, std::string_view key) {
    if (!is_changed) return;
    errors.push_back({origins.of({section + "." + std::string(key)}),
                      std::string(key) +
                          " has no use with protocol = \"milter\": the MTA that asks speaks SMTP with the "
                          "client"});
  };
  object_to(listener.tls != untouched.tls, "tls");
  object_to(listener.require_tls, "require_tls");
  object_to(listener.bare_newline != untouched.bare_newline, "bare_newline");
  object_to(!listener.proxy_protocol_from.empty(), "proxy_protocol_from");
  object_to(!listener.xclient_from.empty(), "xclient_from");
  object_to(listener.client_cert != untouched.client_cert, "client_cert");
  object_to(!listener.client_ca.empty(), "client_ca");
}

void check_socket_of_listener(const ListenSettings& listener, const std::string& section, const Origins& origins,
                              ConfigErrors& errors) {
  static const ListenSettings untouched;
  const auto object = [&](std::string_view key, std::string message) {
    errors.push_back({origins.of({section + "." + std::string(key)}), std::move(message)});
  };
  if (!listener.address.is_unix()) {
    if (listener.socket_mode != untouched.socket_mode)
      object("socket_mode", "socket_mode has no use without a unix: address");
    if (!listener.socket_group.empty()) object("socket_group", "socket_group has no use without a unix: address");
    return;
  }
  if (listener.protocol == ListenProtocol::smtp)
    object("address", "a unix-domain socket is for protocol = \"milter\" alone: an SMTP client has an address");
  else if (listener.milter_from != untouched.milter_from)
    object("milter_from",
           "milter_from has no use with a unix: address: who may ask is for socket_mode and socket_group to say");
}

void check_listeners(const Settings& settings, const Origins& origins, ConfigErrors& errors) {
  for (std::size_t i = 0; i < settings.listen.size(); ++i) {
    const ListenSettings& listener = settings.listen[i];
    const std::string section = full_path("listen[]", {i});
    for (std::size_t j = 0; j < i; ++j) {
      if (settings.listen[j].address == listener.address)
        errors.push_back({origins.of({section + ".address"}),
                          listener.address.to_string() + " is already listened on, by the entry at " +
                              origins.of({full_path("listen[].address", {j})}).to_string()});
    }
    check_socket_of_listener(listener, section, origins, errors);
    if (listener.protocol == ListenProtocol::milter) {
      check_milter_listener(listener, section, origins, errors);
      continue;
    }
    if (listener.milter_from != ListenSettings().milter_from)
      errors.push_back(
          {origins.of({section + ".milter_from"}), "milter_from has no use without protocol = \"milter\""});
    if (listener.require_tls && listener.tls == ListenTls::off)
      errors.push_back({origins.of({section + ".require_tls"}), "require_tls and tls = \"off\" leave no way in"});
    const bool asks_client = listener.client_cert != tls::ClientCertificates::off;
    if (asks_client && listener.tls == ListenTls::off)
      errors.push_back({origins.of({section + ".client_cert"}), "client_cert has no use with tls = \"off\""});
    if (!asks_client && !listener.client_ca.empty())
      errors.push_back({origins.of({section + ".client_ca"}),
                        "client_ca has no use while client_cert is \"off\"; set it to \"ask\" or \"require\""});
    const bool needs_certificate = listener.tls == ListenTls::implicit || listener.require_tls;
    if (needs_certificate && listener.tls != ListenTls::off && settings.tls.certificates.empty())
      errors.push_back({origins.of({section + ".require_tls", section + ".tls"}),
                        "this listener cannot do without TLS, and tls.cert is not set"});
  }
}

// Figures are served by a process of their own.
void check_admin_address(const Settings& settings, const Origins& origins, ConfigErrors& errors) {
  if (!settings.admin.listen) return;
  for (std::size_t i = 0; i < settings.listen.size(); ++i) {
    const Endpoint& mail = settings.listen[i].address;
    if (mail.is_unix() || !overlap(*settings.admin.listen, mail.address())) continue;
    errors.push_back({origins.of({"admin.listen"}), settings.admin.listen->to_string() +
                                                        " is where mail is taken, by the entry at " +
                                                        origins.of({full_path("listen[].address", {i})}).to_string() +
                                                        ": figures and health need an address or port of their own"});
    return;
  }
}

void check_certificates(const Settings& settings, const Origins& origins, ConfigErrors& errors) {
  if (settings.tls.sni.empty() || !settings.tls.certificates.empty()) return;
  const std::string path = full_path("tls.sni.*.cert", {settings.tls.sni.begin()->first});
  errors.push_back({origins.of({path}), "tls.cert is required beside tls.sni: clients that name no host get that one"});
}

void check_limits(const Settings& settings, const Origins& origins, ConfigErrors& errors) {
  const LimitSettings& limits = settings.limits;
  if (limits.unknown_recipients_close < limits.unknown_recipients)
    errors.push_back({origins.of({"limits.unknown_recipients_close", "limits.unknown_recipients"}),
                      "limits.unknown_recipients_close (" + std::to_string(limits.unknown_recipients_close) +
                          ") is smaller than limits.unknown_recipients (" + std::to_string(limits.unknown_recipients) +
                          ")"});
}

// Runs a section's own check, on the global settings or on those of one tenant.
class SectionCheck : public settings::Check {
 public:
  SectionCheck(const Settings& settings, const settings::Section& section, const std::string& tenant,
               const Origins& origins, ConfigErrors& errors)
      : settings_(settings), section_(section), tenant_(tenant), origins_(origins), errors_(errors) {}

  std::string path(std::string_view key) const override {
    return tenant_prefix(tenant_) + std::string(section_.path) + "." + std::string(key);
  }
  bool has_upstream(std::string_view name) const override {
    return settings_.upstreams.empty() || settings_.upstreams.contains(std::string(name));
  }
  void fail(std::initializer_list<std::string_view> keys, std::string message) override {
    for (const std::string_view key : keys) {
      const std::string full = path(key);
      if (!origins_.is_given(full)) continue;
      errors_.push_back({origins_.of({full}), std::move(message)});
      return;
    }
    // For keys that the tenant did not give itself, the error was already reported for the global settings.
    if (tenant_.empty()) errors_.push_back({origins_.of({}), std::move(message)});
  }

 private:
  const Settings& settings_;
  const settings::Section& section_;
  const std::string& tenant_;
  const Origins& origins_;
  ConfigErrors& errors_;
};

void check_policies(const Settings& settings, const Origins& origins, ConfigErrors& errors) {
  static const std::string for_all;
  for (const settings::Section* section : policies::policy_sections()) {
    if (section->check == nullptr) continue;
    const void* shared = settings.policy.of(*section);
    SectionCheck check(settings, *section, for_all, origins, errors);
    section->check(shared, check);
    for (const auto& [name, tenant] : settings.tenants) {
      const void* own = tenant.policy.of(*section);
      if (own == shared) continue;
      SectionCheck tenant_check(settings, *section, name, origins, errors);
      section->check(own, tenant_check);
    }
  }
}

}  // namespace

Origin Origins::of(std::initializer_list<std::string_view> paths) const {
  for (const std::string_view path : paths)
    if (const Effective* value = values.find(path); value != nullptr && !value->origin.is_default())
      return value->origin;
  return {file, 1, 1};
}

bool Origins::is_given(std::string_view path) const {
  const Effective* value = values.find(path);
  return value != nullptr && !value->origin.is_default();
}

Origin Origins::of_entry(std::string_view path, std::size_t index) const {
  const auto given = said.values.find(path);
  if (given == said.values.end() || index >= given->second.value.items.size()) return of({path});
  return given->second.value.items[index].at;
}

void cross_check(const Settings& settings, const Origins& origins, ConfigErrors& errors) {
  check_tenant_domains(settings, origins, errors);
  check_tenant_upstreams(settings, origins, errors);
  check_certificate_names(settings, origins, errors);
  check_listeners(settings, origins, errors);
  check_admin_address(settings, origins, errors);
  check_certificates(settings, origins, errors);
  check_limits(settings, origins, errors);
  check_policies(settings, origins, errors);
}

}  // namespace sallyport::config
