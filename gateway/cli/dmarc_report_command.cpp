#include "gateway/cli/dmarc_report_command.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <ostream>
#include <utility>

#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/look_up_names.h"
#include "gateway/report/dmarc_reporter.h"
#include "gateway/report/report_signer.h"
#include "gateway/report/reporting.h"
#include "gateway/resolver/cache.h"
#include "gateway/resolver/resolver.h"
#include "gateway/tls/context.h"
#include "gateway/upstream/pool.h"
#include "gateway/upstream/registry.h"
#include "gateway/uv/clock.h"
#include "gateway/uv/datagram.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/signals.h"
#include "policies/dmarc/settings.h"

namespace sallyport::cli {
namespace {

Result<Done> read_day(const std::string& text, std::string& to) {
  if (!report::parse_day(text)) return Failure{"expected a day like 2026-11-22"};
  to = text;
  return Done{};
}

void declare(Syntax& syntax, DmarcReportOptions& options) {
  syntax.config_file(options.config_file);
  syntax.value({"--day", "YYYY-MM-DD", "The day to report on, in UTC [yesterday]"},
               [&](const std::string& text) { return read_day(text, options.day); });
  syntax.flag("--dry-run", "Only show what would go where", options.dry_run);
}

// The network as the command needs it, and the reports over it.
Result<report::DmarcReporter::Outcome> make_reports(const config::Settings& settings,
                                                    const policies::DmarcSettings& dmarc, state::Database& database,
                                                    state::Day day, bool dry_run, std::ostream& out) {
  Counters counters;
  auto log = open_log({LogFormat::text, "stderr", LogLevel::error}, counters);
  if (!log) return std::move(log).error();
  upstream::ClientContexts tls;
  const auto& upstream_name = dmarc.report.upstream;
  const auto configured = settings.upstreams.find(upstream_name);
  ensure(configured != settings.upstreams.end(), "dmarc report: an upstream that was checked is not there");
  if (configured->second.tls.mode != tls::UpstreamTls::off) {
    auto context = tls::make_client_context(configured->second.tls);
    if (!context) return std::move(context).error();
    tls.emplace(upstream_name, std::move(*context));
  }
  resolver::Cache cache(settings.dns.cache_entries);
  upstream::UpstreamRegistry registry;
  look_up_names(settings, registry.names(), cache, counters, **log);
  const upstream::UpstreamGroups groups = registry.make_groups(settings, tls);
  const PublicSuffixList suffixes;
  uv::Loop loop;
  uv::Dialer dialer(loop);
  uv::DatagramDialer datagrams(loop);
  const uv::SystemClock clock;
  resolver::Resolver resolver(loop.scheduler(), datagrams, dialer, cache, settings.dns, counters, **log);
  upstream::UpstreamPool pool(loop.scheduler(), dialer, counters, **log, groups);
  std::optional<report::ReportSigner> signer;
  if (!dmarc.report.sign.key_file.empty()) {
    auto read = report::ReportSigner::read(dmarc.report.sign);
    if (!read) return std::move(read).error();
    signer.emplace(std::move(*read));
  }
  report::DmarcReporter reporter({settings, dmarc, database, loop.scheduler(), clock, resolver, counters, **log,
                                  suffixes, pool, *groups.at(upstream_name), signer ? &*signer : nullptr},
                                 day, dry_run, out);
  auto outcome = loop.run_until_done(reporter.run());
  loop.run_until_done(pool.close_idle());
  return outcome;
}

void sum_up(const report::DmarcReporter::Outcome& outcome, state::Day day, bool dry_run, std::ostream& out) {
  out << report::day_text(day) << ": ";
  if (outcome.reports == 0) {
    out << "nothing to report\n";
    return;
  }
  out << outcome.reports << (outcome.reports == 1 ? " report" : " reports");
  if (!dry_run) out << ", " << outcome.sent << " sent";
  if (outcome.before > 0) out << ", " << outcome.before << " sent before";
  if (outcome.refused > 0) out << ", " << outcome.refused << " refused";
  if (outcome.unknown > 0) out << ", " << outcome.unknown << " that may have arrived";
  if (outcome.failed > 0) out << ", " << outcome.failed << " to try again";
  out << "\n";
}

}  // namespace

int dmarc_report_command(const DmarcReportOptions& options, const Console& console) {
  uv::ignore_sigpipe();
  const auto loaded = load_configuration(options.config_file, console);
  if (!loaded) return exit_code::configuration;
  const config::Settings& settings = *loaded->settings;
  const policies::DmarcSettings* dmarc = report::reporting_settings(settings);
  if (dmarc == nullptr) {
    console.err << "sallyport: reports are off; policy.dmarc.report.enabled = true collects what they tell\n";
    return exit_code::configuration;
  }
  const state::Day today = state::day_of(std::chrono::system_clock::now());
  state::Day day = today - 1;
  if (!options.day.empty()) {
    const auto parsed = report::parse_day(options.day);
    ensure(parsed.has_value(), "dmarc report: a day that was checked is none");
    day = *parsed;
  }
  if (day >= today && !options.dry_run) {
    console.err << "sallyport: " << report::day_text(day)
                << " is not over yet (UTC); --dry-run shows what there is so far\n";
    return exit_code::usage;
  }
  const std::string path = state::database_path(settings.state.path);
  if (!std::filesystem::exists(path)) {
    console.err << "sallyport: " << path << " is not there: the daemon has not collected anything yet\n";
    return exit_code::unavailable;
  }
  auto database = state::Database::open(path, state::Database::Missing::fail);
  if (!database) {
    console.err << "sallyport: " << database.error().message << "\n";
    return exit_code::io;
  }
  auto outcome = make_reports(settings, *dmarc, **database, day, options.dry_run, console.out);
  if (!outcome) {
    console.err << "sallyport: " << outcome.error().message << "\n";
    return exit_code::io;
  }
  sum_up(*outcome, day, options.dry_run, console.out);
  return outcome->failed > 0 ? exit_code::temporary : exit_code::ok;
}

const Command dmarc_report_entry{"dmarc report", "Send the reports of a day; once a day, after midnight UTC",
                                 make_invocation<DmarcReportOptions, declare, dmarc_report_command>};

}  // namespace sallyport::cli
