#include "gateway/app/server_reports.h"

#include <chrono>

namespace sallyport::app {

namespace {

std::int64_t seconds_since_1970(Time time, Time now, WallTime wall_now) {
  const auto ago = std::chrono::duration_cast<WallTime::duration>(now - time);
  return std::chrono::duration_cast<std::chrono::seconds>((wall_now - ago).time_since_epoch()).count();
}

}  // namespace

control::ServerReports server_reports(const session::Snapshot& snapshot, const upstream::NameBook& names, Time now,
                                      WallTime wall_now, Time started) {
  control::ServerReports reports;
  for (const auto& [name, group] : snapshot.upstreams) {
    for (const auto& server : group->servers) {
      const upstream::ServerStatus status = server->status(now);
      const bool is_known = status.state != upstream::ServerState::unknown;
      control::ServerReport& report = reports.emplace_back();
      report.upstream = name;
      report.name = server->address().host();
      report.address = server->address().to_string();
      report.state = upstream::name(status.state);
      report.since = seconds_since_1970(is_known ? status.since : started, now, wall_now);
      report.reason = status.reason;
      report.connections = status.connections;
      if (const auto extensions = server->extensions()) report.extensions = smtp::to_ehlo_lines(*extensions);
    }
    for (const Endpoint& configured : group->settings.servers) {
      if (!configured.is_name() || !names.addresses(configured.host()).empty()) continue;
      control::ServerReport& report = reports.emplace_back();
      report.upstream = name;
      report.name = configured.host();
      report.address = configured.to_string();
      report.state = "no address";
      report.since = seconds_since_1970(started, now, wall_now);
      report.reason = names.problem(configured.host());
    }
  }
  return reports;
}

}  // namespace sallyport::app
