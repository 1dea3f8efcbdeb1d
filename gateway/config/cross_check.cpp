#include "gateway/config/cross_check.h"

#include <algorithm>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/config/key_path.h"
#include "gateway/config/value.h"

namespace sallyport::config {
namespace {

void check_tenants(const Settings& settings, const Places& places, ConfigErrors& errors) {
  std::vector<std::string> upstreams;
  upstreams.reserve(settings.upstreams.size());
  for (const auto& [name, upstream] : settings.upstreams) upstreams.push_back(name);
  for (const auto& [name, tenant] : settings.tenants) {
    const std::string section = "tenants." + key_segment(name);
    if (name != "default") {
      errors.push_back({places.of({section + ".domains", section + ".upstream"}),
                        "this version serves one tenant, named \"default\": " + quote(name) + " cannot be served"});
      continue;
    }
    // With no upstream at all that is the error, and this would only repeat it.
    if (upstreams.empty() || settings.upstreams.contains(tenant.upstream)) continue;
    std::string message = "there is no upstream named " + quote(tenant.upstream);
    const std::string_view meant = text::did_you_mean(tenant.upstream, upstreams);
    if (!meant.empty())
      message += "; did you mean " + quote(meant) + "?";
    else
      message += ": set " + section + ".upstream to one of " + text::join(upstreams, ", ");
    errors.push_back({places.of({section + ".upstream"}), std::move(message)});
  }
}

void check_listeners(const Settings& settings, const Places& places, ConfigErrors& errors) {
  for (std::size_t i = 0; i < settings.listen.size(); ++i) {
    const ListenSettings& listener = settings.listen[i];
    const std::string section = full_path("listen[]", {{}, i});
    for (std::size_t j = 0; j < i; ++j) {
      if (settings.listen[j].address == listener.address)
        errors.push_back({places.of({section + ".address"}),
                          listener.address.to_string() + " is already listened on, by the entry at " +
                              places.of({full_path("listen[].address", {{}, j})}).to_string()});
    }
    if (listener.require_tls && listener.tls == ListenTls::off)
      errors.push_back({places.of({section + ".require_tls"}), "require_tls and tls = \"off\" leave no way in"});
    const bool asks_client = listener.client_cert != tls::ClientCertificates::off;
    if (asks_client && listener.tls == ListenTls::off)
      errors.push_back({places.of({section + ".client_cert"}), "client_cert has no use with tls = \"off\""});
    if (!asks_client && !listener.client_ca.empty())
      errors.push_back({places.of({section + ".client_ca"}),
                        "client_ca has no use while client_cert is \"off\"; set it to \"ask\" or \"require\""});
    const bool needs_certificate = listener.tls == ListenTls::implicit || listener.require_tls;
    if (needs_certificate && listener.tls != ListenTls::off && settings.tls.certificates.empty())
      errors.push_back({places.of({section + ".require_tls", section + ".tls"}),
                        "this listener cannot do without TLS, and tls.cert is not set"});
  }
}

void check_certificates(const Settings& settings, const Places& places, ConfigErrors& errors) {
  if (settings.tls.sni.empty() || !settings.tls.certificates.empty()) return;
  const std::string path = full_path("tls.sni.*.cert", {settings.tls.sni.begin()->first, 0});
  errors.push_back({places.of({path}), "tls.cert is required beside tls.sni: clients that name no host get that one"});
}

void check_limits(const Settings& settings, const Places& places, ConfigErrors& errors) {
  const LimitSettings& limits = settings.limits;
  if (limits.unknown_recipients_close < limits.unknown_recipients)
    errors.push_back({places.of({"limits.unknown_recipients_close", "limits.unknown_recipients"}),
                      "limits.unknown_recipients_close (" + std::to_string(limits.unknown_recipients_close) +
                          ") is smaller than limits.unknown_recipients (" + std::to_string(limits.unknown_recipients) +
                          ")"});
}

void check_seal(const Settings& settings, const Places& places, ConfigErrors& errors) {
  const policies::ArcSealSettings& seal = settings.policy.arc.seal;
  if (seal == policies::ArcSealSettings()) return;
  if (seal.domain.empty() || seal.selector.empty() || seal.key_file.empty())
    errors.push_back({places.of({"policy.arc.seal.domain", "policy.arc.seal.selector", "policy.arc.seal.key.file"}),
                      "policy.arc.seal needs all of domain, selector and key"});
}

// An address such as a report may be sent from: of the plain kind, that needs no quotes.
bool is_plain_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || !is_domain_name(text.substr(at + 1), false)) return false;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), [](char c) {
    return text::is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
  });
}

void check_dmarc_report(const Settings& settings, const Places& places, ConfigErrors& errors) {
  const policies::DmarcReportSettings& report = settings.policy.dmarc_report;
  if (!report.from.empty() && !is_plain_address(report.from))
    errors.push_back({places.of({"policy.dmarc.report.from"}), quote(report.from) + " is no mail address"});
  if (!report.enabled) return;
  const Origin origin = places.of({"policy.dmarc.report.enabled"});
  if (report.from.empty())
    errors.push_back({origin, "policy.dmarc.report needs `from`: the address that reports are sent from"});
  if (settings.policy.dmarc.mode == policies::Mode::off)
    errors.push_back({origin, "there is nothing to report while policy.dmarc.mode is \"off\""});
  if (!settings.upstreams.empty() && !settings.upstreams.contains(report.upstream))
    errors.push_back({places.of({"policy.dmarc.report.upstream", "policy.dmarc.report.enabled"}),
                      "there is no upstream named " + quote(report.upstream)});
}

}  // namespace

Origin Places::of(std::initializer_list<std::string_view> paths) const {
  for (const std::string_view path : paths)
    if (const auto found = by_path.find(path); found != by_path.end() && !found->second.is_default())
      return found->second;
  return {file, 1, 1};
}

void cross_check(const Settings& settings, const Places& places, ConfigErrors& errors) {
  check_tenants(settings, places, errors);
  check_listeners(settings, places, errors);
  check_certificates(settings, places, errors);
  check_limits(settings, places, errors);
  check_seal(settings, places, errors);
  check_dmarc_report(settings, places, errors);
}

}  // namespace sallyport::config
