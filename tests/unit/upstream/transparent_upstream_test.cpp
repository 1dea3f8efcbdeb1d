// Connections to a server from clients' addresses (client_info = "tproxy"): whose mail goes over which, who cannot be
// seen, and that what goes wrong for one client says nothing of the server.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/upstream/client_info.h"
#include "gateway/upstream/source_address.h"
#include "tests/unit/session/world.h"

namespace sallyport::upstream {
namespace {

using namespace session;
using config::ClientInfoWay;

const SocketAddress ann = *SocketAddress::parse("198.51.100.7:40001");
const SocketAddress ben = *SocketAddress::parse("198.51.100.8:40001");
const SocketAddress eve = *SocketAddress::parse("[2001:db8::7]:40002");
const std::string busy = "451 4.3.1 ";

class TransparentUpstream : public testing::Test {
 protected:
  TransparentUpstream() { settings().client_info = ClientInfoWay::tproxy; }
  config::UpstreamSettings& settings() { return world.settings.upstreams["default"]; }
  void connect(SocketAddress from) {
    world.connect(from);
    world.heard();
    world.say("EHLO client.example\r\n");
  }
  std::string ask() {
    world.say("MAIL FROM:<ann@example.org>\r\n");
    return world.say("RCPT TO:<bob@example.com>\r\n");
  }
  void send_mail(const std::string& subject = "x") {
    EXPECT_EQ(ask(), "250 2.1.5 Ok\r\n");
    EXPECT_EQ(world.say("DATA\r\n").substr(0, 4), "354 ");
    EXPECT_EQ(world.say("Subject: " + subject + "\r\n\r\nhello\r\n.\r\n").substr(0, 4), "250 ");
  }
  void leave() { world.say("QUIT\r\n"); }
  void send_one_from(SocketAddress client) {
    connect(client);
    send_mail();
    leave();
  }
  std::size_t dialled_from(const std::optional<IpAddress>& source) const {
    return static_cast<std::size_t>(std::count(world.dialer.sources().begin(), world.dialer.sources().end(), source));
  }
  std::size_t faults_logged() const {
    return static_cast<std::size_t>(std::count_if(
        world.log.events.begin(), world.log.events.end(),
        [](const LoggedEvent& event) { return event.event == "fault" && event.field("kind") == "client_info"; }));
  }

  World world;
};

TEST_F(TransparentUpstream, EachClientHasConnectionsFromItsOwnAddress) {
  connect(ann);
  send_mail();
  send_mail();  // over the one that is kept
  leave();
  send_one_from(ben);
  send_one_from(ann);
  EXPECT_EQ(dialled_from(ann.ip), 1U);
  EXPECT_EQ(dialled_from(ben.ip), 1U);
  EXPECT_EQ(world.upstream.stored.size(), 4U);
  EXPECT_EQ(world.counters.get(Fault::client_info), 0U);
}

// Whatever order they come in, and however many connections there may be: what arrives from an address is the mail of
// the client that has it.
TEST_F(TransparentUpstream, NoClientsMailGoesOverAnothersConnection) {
  settings().max_connections = 2;  // so that kept ones of others give way
  std::map<std::optional<IpAddress>, FakeUpstream> arrived;
  world.dialer.serve(first_server, [this, &arrived](std::unique_ptr<support::MemoryStream> stream) {
    return arrived[world.dialer.sources().back()].serve(std::move(stream));
  });
  const std::vector<SocketAddress> clients{ann, ben, *SocketAddress::parse("203.0.113.9:1"), eve};
  std::map<std::optional<IpAddress>, std::size_t> sent;
  std::uint32_t state = 7;
  for (int mail = 0; mail < 60; ++mail) {
    state = state * 1664525 + 1013904223;
    const SocketAddress& client = clients[state >> 30];
    connect(client);
    send_mail(client.ip.to_string());
    leave();
    ++sent[client.ip.is_v4() ? std::optional(client.ip) : std::nullopt];
  }
  for (const auto& [source, count] : sent) {
    const std::string name = source ? source->to_string() : eve.ip.to_string();
    EXPECT_EQ(arrived[source].stored.size(), count) << name;
    for (const FakeUpstream::Stored& mail : arrived[source].stored)
      EXPECT_NE(mail.content.find("Subject: " + name + "\r\n"), std::string::npos) << name;
  }
}

TEST_F(TransparentUpstream, AClientThatCannotBeSeenSendsAllTheSameAndThatIsSaidOnce) {
  for (int round = 0; round < 3; ++round) {
    send_one_from(eve);
    send_one_from(ann);
  }
  EXPECT_EQ(dialled_from(eve.ip), 0U);
  EXPECT_GT(dialled_from(ann.ip), 0U);
  EXPECT_EQ(world.upstream.stored.size(), 6U);
  EXPECT_EQ(world.counters.get(Fault::client_info), 1U);
  EXPECT_EQ(faults_logged(), 1U);
}

TEST_F(TransparentUpstream, TheHelpersEndIsNobodysFault) {
  world.dialer.fail_from(ann.ip, io::Error::no_helper);
  connect(ann);
  EXPECT_EQ(ask().substr(0, busy.size()), busy);
  leave();
  send_one_from(ben);
  send_one_from(eve);
  world.dialer.fail_from(ann.ip, std::nullopt);
  send_one_from(ann);
  EXPECT_EQ(world.counters.get(Fault::upstream_down), 0U);
  EXPECT_EQ(world.counters.get(Fault::resource), 1U);
}

// The server, or what stands before it, refuses that address in any way: others are served at once.
TEST_F(TransparentUpstream, OneClientsFailureSaysNothingOfTheServer) {
  for (const io::Error error : {io::Error::refused, io::Error::unreachable, io::Error::reset, io::Error::timed_out}) {
    world.dialer.fail_from(ann.ip, error);
    connect(ann);
    world.say("MAIL FROM:<ann@example.org>\r\n");
    std::string answer = world.say("RCPT TO:<bob@example.com>\r\n");
    if (answer.empty()) {
      world.advance(std::chrono::minutes(1));
      answer = world.heard();
    }
    EXPECT_EQ(answer.substr(0, 4), "451 ") << io::name(error);
    leave();
    send_one_from(ben);
    send_one_from(eve);
  }
}

// A server that is down in earnest is found so by our own question, and is not waited for by each client then.
TEST_F(TransparentUpstream, AServerThatIsDownIsFoundSoInOurOwnName) {
  send_one_from(ann);
  world.dialer.fail_all(io::Error::refused);
  world.dialer.fail(first_server, io::Error::refused);
  connect(ben);
  EXPECT_EQ(ask().substr(0, 4), "451 ");
  leave();
  const std::size_t asked = world.dialer.dialled().size();
  for (int client = 0; client < 5; ++client) {
    connect({IpAddress::v4({203, 0, 113, static_cast<std::uint8_t>(client)}), 1});
    EXPECT_EQ(ask().substr(0, 4), "451 ");
    leave();
  }
  EXPECT_EQ(world.dialer.dialled().size(), asked);
}

TEST_F(TransparentUpstream, TheServersGreetingIsTheClientsAnswer) {
  send_one_from(ben);
  for (const auto& [reply, answer] : {std::pair("554 5.7.1 no\r\n", "554 5.7.1 no\r\n"),
                                      std::pair("421 4.7.0 too many\r\n", "451 4.7.0 too many\r\n")}) {
    world.upstream.queued[""] = {reply};
    connect(ann);
    EXPECT_EQ(ask(), answer);
    leave();
    world.upstream.queued[""].clear();
    send_one_from(ben);
  }
  EXPECT_EQ(world.counters.get(Fault::upstream_down), 0U);
}

// A server older than ESMTP is no worse for being asked in a client's name.
TEST_F(TransparentUpstream, HeloIsSaidWhereEhloIsUnknown) {
  world.upstream.replies["EHLO"] = "502 5.5.1 what?\r\n";
  world.upstream.replies["HELO"] = "250 upstream.example\r\n";
  send_one_from(ann);
  EXPECT_EQ(dialled_from(ann.ip), 1U);
}

class SourceAddress : public testing::Test {
 protected:
  static std::optional<IpAddress> source(std::string_view client, const Endpoint& server) {
    ClientInfo info;
    info.address = {*IpAddress::parse(client), 40001};
    return source_address(ClientInfoWay::tproxy, &info, server);
  }
  static Endpoint at(std::string_view text) { return *Endpoint::parse(text, 25); }
};

TEST_F(SourceAddress, IsTheClientsWhereTheServerCanSeeIt) {
  EXPECT_EQ(source("192.0.2.7", at("10.0.0.5")), IpAddress::parse("192.0.2.7"));
  EXPECT_EQ(source("2001:db8::7", at("[2001:db8:9::2]:25")), IpAddress::parse("2001:db8::7"));
  EXPECT_EQ(source("::ffff:192.0.2.7", at("10.0.0.5")), IpAddress::parse("192.0.2.7"));
  // Of a name it is the address that counts.
  EXPECT_EQ(source("192.0.2.7", at("mail.acme.example").at(*IpAddress::parse("10.0.0.5"))),
            IpAddress::parse("192.0.2.7"));
  // On this host.
  EXPECT_EQ(source("127.0.0.9", at("127.0.0.1")), IpAddress::parse("127.0.0.9"));
  EXPECT_EQ(source("192.0.2.7", at("127.0.0.1")), IpAddress::parse("192.0.2.7"));
}

TEST_F(SourceAddress, IsOursWhereItCannot) {
  EXPECT_EQ(source("192.0.2.7", at("[2001:db8:9::2]:25")), std::nullopt);
  EXPECT_EQ(source("2001:db8::7", at("10.0.0.5")), std::nullopt);
  EXPECT_EQ(source("127.0.0.1", at("10.0.0.5")), std::nullopt);
  EXPECT_EQ(source("::1", at("[2001:db8:9::2]:25")), std::nullopt);
  EXPECT_EQ(source("192.0.2.7", at("unix:/run/lmtp")), std::nullopt);
  // What a PROXY header may say and no host has.
  for (const char* none : {"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"})
    EXPECT_EQ(source(none, at("10.0.0.5")), std::nullopt) << none;
  for (const char* none : {"::", "ff02::1", "fe80::1"})
    EXPECT_EQ(source(none, at("[2001:db8:9::2]:25")), std::nullopt) << none;
}

TEST_F(SourceAddress, IsOursForUsAndInEveryOtherWay) {
  EXPECT_EQ(source_address(ClientInfoWay::tproxy, nullptr, at("10.0.0.5")), std::nullopt);
  ClientInfo info;
  info.address = ann;
  for (const ClientInfoWay way : {ClientInfoWay::headers, ClientInfoWay::xclient, ClientInfoWay::xforward,
                                  ClientInfoWay::proxy_v1, ClientInfoWay::proxy_v2})
    EXPECT_EQ(source_address(way, &info, at("10.0.0.5")), std::nullopt);
}

}  // namespace
}  // namespace sallyport::upstream
