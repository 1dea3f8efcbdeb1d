// `sallyport dmarc report`: sends the aggregate reports of a day (RFC 9990). To be run once a day, after midnight UTC.
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <ostream>

#include "gateway/app/commands.h"
#include "gateway/app/dmarc_reporter.h"
#include "gateway/app/exit_code.h"
#include "gateway/config/load.h"
#include "gateway/resolver/cache.h"
#include "gateway/resolver/resolver.h"
#include "gateway/tls/context.h"
#include "gateway/uv/clock.h"
#include "gateway/uv/datagram.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/loop.h"
#include "gateway/uv/signals.h"

namespace sallyport::app {

namespace {

// The network as the command needs it, and the reports over it.
Result<DmarcReporter::Outcome> make_reports(const config::Settings& settings, state::Database& database, state::Day day,
                                            bool dry_run, std::ostream& out) {
  Counters counters;
  auto log = open_log({LogFormat::text, "stderr", LogLevel::error}, counters);
  if (!log) return std::move(log).error();
  session::UpstreamBoard board(settings.upstreams);
  session::UpstreamGroup* upstream = board.find(settings.policy.dmarc_report.upstream);
  ensure(upstream != nullptr, "dmarc report: an upstream that was checked is not there");
  std::map<std::string, std::shared_ptr<const tls::ClientContext>> upstream_tls;
  if (upstream->settings.tls.mode != tls::UpstreamTls::off) {
    auto context = tls::make_client_context(upstream->settings.tls);
    if (!context) return std::move(context).error();
    upstream_tls.emplace(upstream->settings.name, std::move(*context));
  }
  const PublicSuffixList suffixes;
  resolver::Cache cache(settings.dns.cache_entries);
  uv::Loop loop;
  uv::Dialer dialer(loop);
  uv::DatagramDialer datagrams(loop);
  const uv::SystemClock clock;
  resolver::Resolver resolver(loop.scheduler(), datagrams, dialer, cache, settings.dns, counters, **log);
  session::UpstreamPool pool(loop.scheduler(), dialer, board, counters, std::move(upstream_tls), settings.hostname,
                             {settings.timeouts.upstream_connect, settings.timeouts.upstream_reply});
  DmarcReporter reporter(
      {settings, database, loop.scheduler(), clock, resolver, counters, **log, suffixes, pool, *upstream}, day, dry_run,
      out);
  auto outcome = loop.run_until_done(reporter.run());
  loop.run_until_done(pool.close_idle());
  return outcome;
}

void sum_up(const DmarcReporter::Outcome& outcome, state::Day day, bool dry_run, std::ostream& out) {
  out << day_text(day) << ": ";
  if (outcome.reports == 0) {
    out << "nothing to report\n";
    return;
  }
  out << outcome.reports << (outcome.reports == 1 ? " report" : " reports");
  if (!dry_run) out << ", " << outcome.sent << " sent";
  if (outcome.before > 0) out << ", " << outcome.before << " sent before";
  if (outcome.refused > 0) out << ", " << outcome.refused << " refused";
  if (outcome.failed > 0) out << ", " << outcome.failed << " to try again";
  out << "\n";
}

}  // namespace

int dmarc_report_command(const DmarcReportOptions& options, const Console& console) {
  uv::ignore_sigpipe();
  const auto loaded = config::load(options.config_file, config::Disk());
  if (!loaded) {
    for (const config::ConfigError& error : loaded.error()) console.err << error.to_string() << "\n";
    return exit_code::configuration;
  }
  const config::Settings& settings = *loaded->settings;
  if (!settings.policy.dmarc_report.enabled) {
    console.err << "sallyport: reports are off; policy.dmarc.report.enabled = true collects what they tell\n";
    return exit_code::configuration;
  }
  const state::Day today = state::day_of(std::chrono::system_clock::now());
  state::Day day = today - 1;
  if (!options.day.empty()) {
    const auto parsed = parse_day(options.day);
    ensure(parsed.has_value(), "dmarc report: a day that was checked is none");
    day = *parsed;
  }
  if (day >= today && !options.dry_run) {
    console.err << "sallyport: " << day_text(day) << " is not over yet (UTC); --dry-run shows what there is so far\n";
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
  auto outcome = make_reports(settings, **database, day, options.dry_run, console.out);
  if (!outcome) {
    console.err << "sallyport: " << outcome.error().message << "\n";
    return exit_code::io;
  }
  sum_up(*outcome, day, options.dry_run, console.out);
  return outcome->failed > 0 ? exit_code::temporary : exit_code::ok;
}

}  // namespace sallyport::app
