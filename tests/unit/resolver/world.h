// A resolver with everything around it in memory: servers that are functions, a clock, a cache.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/resolver/resolver.h"
#include "tests/support/dns_packet.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_datagram.h"
#include "tests/support/scripted_dialer.h"

namespace sallyport::resolver {

using std::chrono::milliseconds;
using std::chrono::seconds;
using support::DnsPacket;

inline const SocketAddress first_server{IpAddress::v4({10, 0, 0, 1}), 53};
inline const SocketAddress second_server{IpAddress::v4({10, 0, 0, 2}), 53};
inline const dns::Question example_a{"host.example.org", dns::Type::A};

class World {
 public:
  // What a server sends back to a query over TCP, length prefix and all.
  using TcpAnswer = std::function<std::string(std::string_view query)>;

  explicit World(std::vector<SocketAddress> servers = {first_server});

  // The resolver is made at the first question, with the settings as they are then.
  Resolver& resolver();
  Task<dns::Answer> asking(dns::Question question, Duration patience = seconds(60)) {
    return resolver().lookup(std::move(question), loop.now() + patience);
  }
  dns::Answer ask(dns::Question question, Duration patience = seconds(60)) {
    return loop.run_until_done(asking(std::move(question), patience));
  }
  // With its questions under way; the next question gets a new one.
  void end_resolver() { resolver_.reset(); }
  void serve_tcp(SocketAddress server, TcpAnswer answer);

  std::vector<SocketAddress> asked() const;  // by UDP, in order
  std::uint64_t questions() const { return counters.get(Total::dns_questions); }
  // I8: it was counted so often, and the log was told as often: of a violation with the server's address.
  void expect_recorded(Violation kind, std::size_t times) const;
  void expect_recorded(Fault kind, std::size_t times) const;

  support::ManualLoop loop;
  support::MemoryNetwork network{loop.scheduler()};
  support::ScriptedDialer dialer{loop.scheduler()};
  Cache cache{1000};
  Counters counters;
  support::LinesLog log;
  ResolverSettings settings;

 private:
  std::unique_ptr<Resolver> resolver_;
};

// Talks on the server's end of a connection: one query, one answer, then the end.
Task<void> serve_one(std::unique_ptr<support::MemoryStream> stream, World::TcpAnswer answer);
// Asks, and hands over the answer.
Task<void> ask_and(World& world, dns::Question question, std::function<void(dns::Answer)> then,
                   Duration patience = seconds(60));

// Answers every question for an address with this one.
std::vector<support::MemoryPacket> reply_with_address(SocketAddress to, std::string_view query);
inline std::vector<support::MemoryPacket> just(const DnsPacket& packet, Duration after = {}) {
  return {{packet.octets(), after}};
}
inline DnsPacket address_reply(std::string_view query, std::string_view address = "192.0.2.1") {
  return DnsPacket::reply_to(query).a(support::question_of(query).name, address);
}

inline std::vector<dns::RecordData> one_address(std::string_view address) { return {*IpAddress::parse(address)}; }

}  // namespace sallyport::resolver
