#include "gateway/app/server_reports.h"

namespace sallyport::app {

control::ServerReports server_reports(const session::Snapshot& snapshot, const upstream::NameBook& names,
                                      const Moment& moment) {
  control::ServerReports reports;
  for (const auto& [name, group] : snapshot.upstreams) {
    for (const auto& server : group->servers) {
      const upstream::ServerStatus status = server->status(moment.now);
      const bool is_known = status.state != upstream::ServerState::unknown;
      control::ServerReport& report = reports.emplace_back();
      report.upstream = name;
      report.name = server->address().host();
      report.address = server->address().to_string();
      report.state = upstream::name(status.state);
      report.since = moment.seconds_of(is_known ? status.since : Time{});
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
      report.since = moment.seconds_of(moment.started);
      report.reason = names.problem(configured.host());
    }
  }
  return reports;
}

}  // namespace sallyport::app
