#include "gateway/cli/check_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "gateway/base/ensure.h"
#include "gateway/config/key_path.h"
#include "gateway/config/own_doors.h"
#include "gateway/report/report_signer.h"
#include "gateway/tls/context.h"
#include "lua/engine/rule_set.h"
#include "policies/arc/sealer.h"

namespace sallyport::cli {
namespace {

namespace fs = std::filesystem;

class FileCheck {
 public:
  FileCheck(const config::Loaded& loaded, const std::string& config_file, WallTime now)
      : loaded_(loaded), settings_(*loaded.settings), config_file_(config_file), now_(now) {}

  FileReport run() {
    certificates("tls.cert", settings_.tls.certificates);
    for (const auto& [name, files] : settings_.tls.sni)
      certificates(config::full_path("tls.sni.*.cert", {name}), files);
    for (std::size_t i = 0; i < settings_.listen.size(); ++i) client_authorities(i, settings_.listen[i]);
    for (const auto& [name, upstream] : settings_.upstreams) authorities(name, upstream.tls);
    policies();
    for (config::ConfigError& error : config::find_own_doors(loaded_, config_file_, config::addresses_of_this_host()))
      report_.errors.push_back(std::move(error));
    state_directory();
    log_file();
    return std::move(report_);
  }

 private:
  void fail(const std::string& path, std::string message) {
    config::Origin at = loaded_.origin_of(path);
    if (at.is_default()) at = {config_file_, 1, 1};
    report_.errors.push_back({std::move(at), std::move(message)});
  }

  // One at a time, so that each that is wrong is named.
  void certificates(const std::string& path, const std::vector<tls::CertificateFiles>& list) {
    for (const tls::CertificateFiles& files : list) {
      tls::ServerTlsSettings alone = settings_.tls;
      alone.certificates = {files};
      alone.sni.clear();
      const auto context = tls::make_server_context(alone);
      if (!context) {
        fail(path, context.error().message);
        continue;
      }
      for (const std::string& warning : (*context)->warnings(now_))
        report_.warnings.push_back({loaded_.origin_of(path), warning});
    }
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

  // What names files in the policies' settings: for all, and of each tenant that has its own.
  void policies() {
    seal_key(settings_.policy.of(policies::arc_section).seal, {});
    report_key(settings_.policy.of(policies::dmarc_section), {});
    rules(settings_.policy.of(lua::rules_section), {});
    for (const auto& [name, tenant] : settings_.tenants) {
      const settings::Set& own = config::policy_of(settings_, tenant);
      if (&own.of(policies::arc_section) != &settings_.policy.of(policies::arc_section))
        seal_key(own.of(policies::arc_section).seal, config::tenant_prefix(name));
      if (&own.of(policies::dmarc_section) != &settings_.policy.of(policies::dmarc_section))
        report_key(own.of(policies::dmarc_section), config::tenant_prefix(name));
      if (&own.of(lua::rules_section) != &settings_.policy.of(lua::rules_section))
        rules(own.of(lua::rules_section), config::tenant_prefix(name));
    }
  }

  void seal_key(const policies::ArcSealSettings& seal, const std::string& prefix) {
    if (seal.key_file.empty()) return;
    const auto sealer = policies::ArcSealer::read(seal);
    if (!sealer) fail(prefix + "policy.arc.seal.key.file", sealer.error().message);
  }

  void report_key(const policies::DmarcSettings& dmarc, const std::string& prefix) {
    if (dmarc.report.sign.key_file.empty()) return;
    const auto signer = report::ReportSigner::read(dmarc.report.sign);
    if (!signer) fail(prefix + "policy.dmarc.report.sign.key.file", signer.error().message);
  }

  void rules(const lua::RuleSettings& settings, const std::string& prefix) {
    const auto set = lua::RuleSet::load(settings);
    if (set) return;
    for (const lua::LoadError& error : set.error()) {
      if (error.line <= 0) {
        // Of the directory or a whole file: what leads there is the configuration.
        const std::string& where = error.file.empty() ? settings.path : error.file;
        fail(prefix + "policy.rules.path", where + ": " + error.message);
        continue;
      }
      const auto column = static_cast<std::uint32_t>(std::max(error.column, 1));
      report_.errors.push_back({{error.file, static_cast<std::uint32_t>(error.line), column}, error.message});
    }
  }

  // Without the directory the first start makes it; something else of that name is in its way.
  void state_directory() {
    std::error_code error;
    const fs::file_status status = fs::status(settings_.state.path, error);
    if (fs::exists(status) && !fs::is_directory(status))
      fail("state.path", settings_.state.path + " is not a directory");
  }

  void log_file() {
    constexpr std::string_view prefix = "file:";
    if (!settings_.log.target.starts_with(prefix)) return;
    const fs::path file = settings_.log.target.substr(prefix.size());
    std::error_code error;
    if (fs::is_directory(file, error)) fail("log.target", file.string() + " is a directory");
    if (!fs::is_directory(file.parent_path(), error))
      fail("log.target", "there is no directory " + file.parent_path().string());
  }

  const config::Loaded& loaded_;
  const config::Settings& settings_;
  const std::string& config_file_;
  const WallTime now_;
  FileReport report_;
};

}  // namespace

FileReport check_files(const config::Loaded& loaded, const std::string& config_file, WallTime now) {
  return FileCheck(loaded, config_file, now).run();
}

}  // namespace sallyport::cli
