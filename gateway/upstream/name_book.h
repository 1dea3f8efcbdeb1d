// NameBook: the addresses of the names that servers are configured by, as last heard, and when to ask again.
//
// A name is looked up in the hosts file first, then in DNS by A and AAAA. It is asked for again when the shortest TTL
// of the answers is over, but not sooner than after shortest_life and at the latest after longest_life. A name that
// cannot be looked up any more, or has no address any more, keeps its last addresses: a fault of the DNS must not stop
// the mail.
//
// One per process. refresh() runs on one loop; addresses() may be called by any thread, as a reload makes groups off
// the loops.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/address.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/io/resolver.h"
#include "gateway/upstream/hosts_table.h"

namespace sallyport::upstream {

using Names = std::set<std::string, std::less<>>;

// The names among the servers of a configuration.
Names names_of(const config::Settings& settings);

class NameBook {
 public:
  static constexpr Duration shortest_life = std::chrono::seconds(2);
  static constexpr Duration longest_life = std::chrono::minutes(15);
  // After a failure, and for what the hosts file says.
  static constexpr Duration look_again = std::chrono::seconds(5);

  // What has changed for a name.
  struct News {
    std::string name;
    std::vector<IpAddress> addresses;  // in use now
    std::string problem;               // why they are not what was asked for: "nxdomain"; empty: all is well
    bool has_changed = false;          // the addresses; false: only the problem came, or went
  };

  NameBook() = default;
  NameBook(const NameBook&) = delete;
  NameBook& operator=(const NameBook&) = delete;

  // Before the first refresh(): an address that the name had when another process served, for as long as no answer
  // comes.
  void recall(const std::string& name, const IpAddress& address);
  // IPv4 first, each family in ascending order, so that `failover` has an order to keep; empty: none is known.
  std::vector<IpAddress> addresses(std::string_view name) const;
  // Why the name has no addresses, or old ones: "nxdomain"; empty when all is well.
  std::string problem(std::string_view name) const;
  // When refresh() of these names has something to do; never: Time::max().
  Time due(const Names& names) const;
  // Looks up those of `names` that are due, several at a time. An answer that has not come at `deadline` is a failure.
  Task<std::vector<News>> refresh(const Names& names, const HostsTable& hosts, io::Resolver& dns,
                                  async::Scheduler& scheduler, Time deadline);

  // Called when a configuration has come into force: forgets all names but its own.
  void forget_others(const Names& names);

 private:
  struct Entry {
    std::vector<IpAddress> v4;
    std::vector<IpAddress> v6;
    std::string problem;
    Time ask_again{};
  };
  static Task<Entry> look_up(std::string name, Entry before, const HostsTable& hosts, io::Resolver& dns,
                             async::Scheduler& scheduler, Time deadline);
  Task<std::optional<News>> renew(std::string name, const HostsTable& hosts, io::Resolver& dns,
                                  async::Scheduler& scheduler, Time deadline);

  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace sallyport::upstream
