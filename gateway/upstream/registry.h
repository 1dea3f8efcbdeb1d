// UpstreamRegistry: finds the UpstreamServer of an address, so that what was learned about a server survives a reload,
// and a change of the addresses of a name.
//
// One per process. Two configurations mean the same server when its address and name, the name of its group, and what
// that group says about TLS, protocol and hidden extensions are equal; its health, extensions and connection count are
// then kept. A server that no snapshot names and no connection uses is forgotten; if it is configured again later, it
// starts as a new one.
//
// Any thread may call it, under its mutex: a reload makes the groups off the loops.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "gateway/upstream/group.h"
#include "gateway/upstream/name_book.h"
#include "gateway/upstream/neighbours.h"

namespace sallyport::upstream {

// By the name of the upstream; one for each upstream that uses TLS.
using ClientContexts = std::map<std::string, std::shared_ptr<const tls::ClientContext>>;

// What a server has offered when it was seen last, perhaps before this process began.
struct LastWord {
  std::string upstream;                 // the name of its group
  std::string address;                  // Endpoint::to_string()
  std::string name;                     // Endpoint::host()
  std::vector<std::string> ehlo_lines;  // as smtp::read_ehlo_lines() takes them
};

class UpstreamRegistry {
 public:
  UpstreamRegistry() = default;
  UpstreamRegistry(const UpstreamRegistry&) = delete;
  UpstreamRegistry& operator=(const UpstreamRegistry&) = delete;

  // Makes the groups of a configuration: its upstreams, with its host name and timeouts. Each group keeps its own
  // context of `tls`. A name has a server for each of its addresses in names(); servers that are named twice are one.
  UpstreamGroups make_groups(const config::Settings& settings, const ClientContexts& tls);
  // Servers of which nothing is known, and those that come later, take their last word from these, of which the latest
  // stand first. A new address of a name takes the word of another address of that name.
  void recall(std::vector<LastWord> words);

  NameBook& names() { return names_; }
  const NameBook& names() const { return names_; }
  // The number of servers that a snapshot or a connection still uses.
  std::size_t size() const;
  // Where the pools of the workers find each other.
  PoolNeighbours& neighbours() { return neighbours_; }

 private:
  // Name of the group, address, and those of the group's settings that decide what a connection is.
  using Key = std::tuple<std::string, Endpoint, tls::UpstreamTls, std::string, std::string, config::UpstreamProtocol,
                         std::vector<std::string>>;

  std::shared_ptr<UpstreamServer> server(const config::UpstreamSettings& group, const Endpoint& address);
  void remind(const Key& key, UpstreamServer& server) const;
  void forget_unused();

  mutable std::mutex mutex_;
  std::map<Key, std::weak_ptr<UpstreamServer>> servers_;
  // By name of the upstream. Names come from configurations.
  std::map<std::string, std::shared_ptr<UpstreamFigures>> figures_;
  std::vector<LastWord> last_words_;
  std::uint64_t last_serial_ = 0;
  NameBook names_;
  PoolNeighbours neighbours_;
};

}  // namespace sallyport::upstream
