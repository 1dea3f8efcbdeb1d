#include "gateway/cli/look_up_names.h"

#include "gateway/resolver/resolver.h"
#include "gateway/uv/datagram.h"
#include "gateway/uv/dialer.h"
#include "gateway/uv/loop.h"

namespace sallyport::cli {

std::vector<upstream::NameBook::News> look_up_names(const config::Settings& settings, upstream::NameBook& names,
                                                    resolver::Cache& cache, Counters& counters, Log& log,
                                                    Duration patience) {
  const upstream::Names wanted = upstream::names_of(settings);
  if (wanted.empty()) return {};
  const upstream::HostsTable hosts = upstream::HostsTable::read();
  uv::Loop loop;
  uv::Dialer connections(loop);
  uv::DatagramDialer datagrams(loop);
  resolver::Resolver dns(loop.scheduler(), datagrams, connections, cache, settings.dns, counters, log);
  const Time deadline = loop.scheduler().now() + patience;
  return loop.run_until_done(names.refresh(wanted, hosts, dns, loop.scheduler(), deadline));
}

}  // namespace sallyport::cli
