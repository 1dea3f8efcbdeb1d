#include "gateway/app/upstream_names.h"

#include <utility>

#include "gateway/base/text.h"
#include "gateway/uv/work_pool.h"

namespace sallyport::app {

namespace {

constexpr Duration patience = std::chrono::seconds(5);

// On the work pool.
struct ReadHosts {
  upstream::HostsTable operator()() { return upstream::HostsTable::read(); }
};

}  // namespace

Task<bool> refresh_names(upstream::Names names, CommonParts& common, io::Resolver& dns, uv::Loop& loop) {
  if (names.empty()) co_return false;
  const upstream::HostsTable hosts = co_await uv::on_worker(loop, ReadHosts{});
  const Time deadline = loop.scheduler().now() + patience;
  const auto news = co_await common.registry.names().refresh(names, hosts, dns, loop.scheduler(), deadline);
  log_names(news, *common.log);
  bool has_changed = false;
  for (const upstream::NameBook::News& one : news) has_changed = has_changed || one.has_changed;
  co_return has_changed;
}

void log_names(const std::vector<upstream::NameBook::News>& news, Log& log) {
  for (const upstream::NameBook::News& one : news) {
    std::vector<std::string> addresses;
    for (const IpAddress& ip : one.addresses) addresses.push_back(ip.to_string());
    const std::string list = text::join(addresses, ",");
    std::string_view detail = "looked up";
    if (!one.problem.empty()) detail = list.empty() ? "there is no address" : "the last addresses stay in use";
    log.write(one.problem.empty() ? LogLevel::info : LogLevel::warning, "upstream_name",
              {{"name", one.name}, {"addresses", list}, {"problem", one.problem}, {"detail", detail}});
  }
}

}  // namespace sallyport::app
