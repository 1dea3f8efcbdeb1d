#include "gateway/upstream/registry.h"

#include <algorithm>

namespace sallyport::upstream {

namespace {

// The servers that a group's settings stand for now, in their order.
std::vector<Endpoint> places(const std::vector<Endpoint>& servers, const NameBook& names) {
  std::vector<Endpoint> all;
  const auto add = [&](const Endpoint& place) {
    const bool is_known = std::any_of(all.begin(), all.end(),
                                      [&](const Endpoint& other) { return other.to_string() == place.to_string(); });
    if (!is_known) all.push_back(place);
  };
  for (const Endpoint& server : servers) {
    if (!server.is_name()) {
      add(server);
      continue;
    }
    for (const IpAddress& ip : names.addresses(server.host())) add(server.at(ip));
  }
  return all;
}

}  // namespace

UpstreamGroups UpstreamRegistry::make_groups(const config::Settings& settings, const ClientContexts& tls) {
  std::lock_guard lock(mutex_);
  forget_unused();
  UpstreamGroups groups;
  ++last_serial_;
  for (const auto& [name, upstream] : settings.upstreams) {
    auto group = std::make_shared<UpstreamGroup>();
    group->settings = upstream;
    for (const Endpoint& place : places(upstream.servers, names_)) group->servers.push_back(server(upstream, place));
    if (const auto context = tls.find(name); context != tls.end()) group->tls = context->second;
    group->takes_one_recipient = upstream.protocol == config::UpstreamProtocol::lmtp;
    group->ehlo_name = settings.hostname;
    group->timeouts = {settings.timeouts.upstream_connect, settings.timeouts.upstream_reply};
    group->serial = last_serial_;
    group->figures = figures_.try_emplace(name, group->figures).first->second;
    groups.emplace(name, std::move(group));
  }
  return groups;
}

std::shared_ptr<UpstreamServer> UpstreamRegistry::server(const config::UpstreamSettings& group,
                                                         const Endpoint& address) {
  const Key key{group.name, address, group.tls.mode, group.tls.name, group.tls.ca_file, group.protocol, group.hide};
  std::weak_ptr<UpstreamServer>& known = servers_[key];
  auto server = known.lock();
  if (!server) {
    server = std::make_shared<UpstreamServer>(address);
    known = server;
    remind(key, *server);
  }
  return server;
}

void UpstreamRegistry::recall(std::vector<LastWord> words) {
  std::lock_guard lock(mutex_);
  last_words_ = std::move(words);
  for (const auto& [key, known] : servers_) {
    const auto server = known.lock();
    if (server && !server->extensions()) remind(key, *server);
  }
}

// A reload, or a change of a name's addresses, makes new servers while others of that name are known already.
void UpstreamRegistry::remind(const Key& key, UpstreamServer& server) const {
  const std::string& group = std::get<0>(key);
  const std::string& host = server.address().host();
  if (!host.empty()) {
    for (const auto& [other_key, other] : servers_) {
      const auto living = other.lock();
      if (!living || std::get<0>(other_key) != group || living->address().host() != host) continue;
      if (const auto extensions = living->extensions()) return server.learned(*extensions);
    }
  }
  const std::string address = server.address().to_string();
  const LastWord* word = nullptr;
  for (const LastWord& one : last_words_) {
    if (one.upstream != group) continue;
    const bool is_same = one.address == address;
    if (is_same || (word == nullptr && !host.empty() && one.name == host)) word = &one;
    if (is_same) break;
  }
  if (word == nullptr) return;
  std::vector<std::string> lines = word->ehlo_lines;
  smtp::hide_keywords(lines, std::get<6>(key));
  server.learned(smtp::read_ehlo_lines(lines));
}

void UpstreamRegistry::forget_unused() {
  std::erase_if(servers_, [](const auto& entry) { return entry.second.expired(); });
}

std::size_t UpstreamRegistry::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(servers_.begin(), servers_.end(), [](const auto& entry) { return !entry.second.expired(); }));
}

}  // namespace sallyport::upstream
