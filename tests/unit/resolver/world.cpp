#include "tests/unit/resolver/world.h"

namespace sallyport::resolver {

Task<void> serve_one(std::unique_ptr<support::MemoryStream> stream, World::TcpAnswer answer) {
  std::string received;
  auto is_complete = [&] {
    if (received.size() < 2) return false;
    auto high = static_cast<std::uint8_t>(received[0]);
    auto low = static_cast<std::uint8_t>(received[1]);
    return received.size() >= 2u + high * 256u + low;
  };
  while (!is_complete()) {
    auto filled = co_await stream->fill(async::no_deadline);
    if (!filled) co_return;
    received += stream->input();
    stream->consume(stream->input().size());
  }
  std::string octets = answer(std::string_view(received).substr(2));
  auto written = co_await stream->write(octets, async::no_deadline);
  ensure(written.ok(), "World: the resolver did not wait for its answer");
}

Task<void> ask_and(World& world, dns::Question question, std::function<void(dns::Answer)> then, Duration patience) {
  dns::Answer answer = co_await world.asking(std::move(question), patience);
  then(std::move(answer));
}

World::World(std::vector<SocketAddress> servers) { settings.servers = std::move(servers); }

Resolver& World::resolver() {
  if (!resolver_) {
    resolver_ = std::make_unique<Resolver>(loop.scheduler(), network, dialer, cache, settings, counters, log);
  }
  return *resolver_;
}

void World::serve_tcp(SocketAddress server, TcpAnswer answer) {
  dialer.serve(server, [answer = std::move(answer)](std::unique_ptr<support::MemoryStream> stream) {
    return serve_one(std::move(stream), answer);
  });
}

void World::expect_recorded(Violation kind, std::size_t times) const {
  EXPECT_EQ(counters.get(kind), times) << name(kind);
  EXPECT_EQ(log.count({"event=violation", "kind=" + std::string(name(kind)) + ' ', " ip=10.0.0."}), times)
      << name(kind);
}

void World::expect_recorded(Fault kind, std::size_t times) const {
  EXPECT_EQ(counters.get(kind), times) << name(kind);
  EXPECT_EQ(log.count({"event=fault", "kind=" + std::string(name(kind)) + ' '}), times) << name(kind);
}

std::vector<SocketAddress> World::asked() const {
  std::vector<SocketAddress> servers;
  for (const auto& sent : network.sent()) servers.push_back(sent.to);
  return servers;
}

std::vector<support::MemoryPacket> reply_with_address(SocketAddress, std::string_view query) {
  return just(address_reply(query));
}

}  // namespace sallyport::resolver
