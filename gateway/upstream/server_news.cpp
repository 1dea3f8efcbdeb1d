#include "gateway/upstream/server_news.h"

#include <exception>
#include <string>

namespace sallyport::upstream {

void ServerNews::is_up(const UpstreamServer& server) {
  counters_.add(Total::upstreams_up);
  const std::string address = server.name();
  log_.write(LogLevel::info, "upstream", {{"state", name(ServerState::up)}, {"upstream", address}});
}

void ServerNews::is_down(const UpstreamServer& server, std::string_view reason) {
  counters_.add(Total::upstreams_down);
  const std::string address = server.name();
  log_.write(LogLevel::warning, "upstream",
             {{"state", name(ServerState::down)}, {"upstream", address}, {"because", reason}});
}

void ServerNews::connected(UpstreamServer& server, Time now) {
  if (server.connected(now)) is_up(server);
}

void ServerNews::failed_to_connect(UpstreamServer& server, const UpstreamError& error, Time now) {
  const bool is_news = server.failed_to_connect(now, error.detail, error.kind == UpstreamError::Kind::tls);
  if (is_news) is_down(server, error.detail);
}

void ServerNews::is_full(UpstreamServer& server, const UpstreamError& error, Time now) {
  if (!server.is_full(now, error.detail)) return;
  counters_.add(Total::upstreams_full);
  const std::string address = server.name();
  const auto bound = static_cast<std::int64_t>(server.status(now).bound.value_or(0));
  log_.write(LogLevel::warning, "upstream",
             {{"state", name(ServerState::full)}, {"upstream", address}, {"bound", bound}, {"because", error.detail}});
}

void ServerNews::served(UpstreamServer& server, Time now) noexcept {
  try {
    if (server.served(now)) is_up(server);
  } catch (const std::exception&) {
    // Then it is not told.
  }
}

void ServerNews::failed_to_serve(UpstreamServer& server, const UpstreamError& error, Time now) {
  const std::string reason = "several transactions in a row were broken off, the last by: " + error.detail;
  if (server.failed_to_serve(now, reason)) is_down(server, reason);
}

void ServerNews::tls_failed(UpstreamServer& server, const UpstreamError& error, Time now) {
  server.tls_has_failed(now);
  counters_.add(Fault::upstream_tls);
  const std::string address = server.name();
  log_.write(LogLevel::warning, "fault",
             {{"kind", name(Fault::upstream_tls)}, {"upstream", address}, {"detail", error.detail}});
}

}  // namespace sallyport::upstream
