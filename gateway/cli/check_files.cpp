#include "gateway/cli/check_files.h"

#include "gateway/cli/check_policies.h"
#include "gateway/config/key_path.h"
#include "gateway/report/report_signer.h"
#include "gateway/tls/certificate_names.h"
#include "gateway/tls/context.h"

namespace sallyport::cli {
namespace {

class FileCheck {
 public:
  FileCheck(const config::Loaded& loaded, const std::string& config_file, WallTime now)
      : loaded_(loaded), settings_(*loaded.settings), config_file_(config_file), now_(now) {}

  CheckReport run() {
    certificates("tls.cert", settings_.tls.certificates, settings_.hostname);
    for (const auto& [name, files] : settings_.tls.sni)
      certificates(config::full_path("tls.sni.*.cert", {name}), files, name);
    for (std::size_t i = 0; i < settings_.listen.size(); ++i) client_authorities(i, settings_.listen[i]);
    for (const auto& [name, upstream] : settings_.upstreams) authorities(name, upstream.tls);
    check_policies(loaded_, config_file_, report_);
    report_key(settings_.policy, {});
    for (const auto& [name, tenant] : settings_.tenants) {
      const settings::Set& own = config::policy_of(settings_, tenant);
      if (&own.of(policies::dmarc_section) != &settings_.policy.of(policies::dmarc_section))
        report_key(own, config::tenant_prefix(name));
    }
    return std::move(report_);
  }

 private:
  void fail(const std::string& path, std::string message) {
    report_.fail(place_of(loaded_, config_file_, path), std::move(message));
  }

  // What signs the reports is no part of the check that collects them.
  void report_key(const settings::Set& policy, const std::string& prefix) {
    const policies::DmarcSettings& dmarc = policy.of(policies::dmarc_section);
    if (dmarc.report.sign.key_file.empty()) return;
    const auto signer = report::ReportSigner::read(dmarc.report.sign);
    if (!signer) fail(prefix + "policy.dmarc.report.sign.key.file", signer.error().message);
  }

  // One at a time, so that each that is wrong is named. `name` is what clients know the host by.
  void certificates(const std::string& path, const std::vector<tls::CertificateFiles>& list, const std::string& name) {
    for (const tls::CertificateFiles& files : list) {
      tls::ServerTlsSettings alone = settings_.tls;
      alone.certificates = {files};
      alone.sni.clear();
      const auto context = tls::make_server_context(alone);
      if (!context) {
        fail(path, context.error().message);
        continue;
      }
      for (std::string& warning : (*context)->warnings(now_)) report_.warn(loaded_.origin_of(path), std::move(warning));
      other_name(path, files, name);
    }
  }

  void other_name(const std::string& path, const tls::CertificateFiles& files, const std::string& name) {
    if (name.empty()) return;
    // Of "*.acme.example", whether it is for any name of one label more.
    const std::string host = name.starts_with("*.") ? "any-host" + name.substr(1) : name;
    const auto is_right = tls::is_certificate_for(files, host);
    if (is_right && !*is_right)
      report_.warn(loaded_.origin_of(path), files.chain + ": the certificate is not for " + name +
                                                ", so that clients which verify it do not come");
  }

  // What is wrong with the certificates themselves has been said by now.
  void client_authorities(std::size_t index, const config::ListenSettings& listener) {
    if (listener.client_ca.empty() || settings_.tls.certificates.empty()) return;
    if (!tls::make_server_context(settings_.tls)) return;
    const auto context = tls::make_server_context(config::tls_of(settings_, listener));
    if (!context) fail(config::full_path("listen[].client_ca", {index}), context.error().message);
  }

  void authorities(const std::string& name, const tls::ClientTlsSettings& settings) {
    if (settings.mode == tls::UpstreamTls::off) return;
    const auto context = tls::make_client_context(settings);
    if (!context) fail(config::full_path("upstreams.*.tls_ca", {name}), context.error().message);
  }

  const config::Loaded& loaded_;
  const config::Settings& settings_;
  const std::string& config_file_;
  const WallTime now_;
  CheckReport report_;
};

}  // namespace

CheckReport check_files(const config::Loaded& loaded, const std::string& config_file, WallTime now) {
  return FileCheck(loaded, config_file, now).run();
}

}  // namespace sallyport::cli
