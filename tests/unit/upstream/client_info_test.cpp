// What servers are told of the client (upstreams.*.client_info), by XCLIENT, XFORWARD and the PROXY protocol, over kept
// connections and new ones.
#include "gateway/upstream/client_info.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/smtp/proxy_header.h"
#include "tests/unit/session/world.h"

namespace sallyport::upstream {
namespace {

using namespace session;
using config::ClientInfoWay;

const SocketAddress ann = *SocketAddress::parse("198.51.100.7:40001");
const SocketAddress eve = *SocketAddress::parse("[2001:db8::7]:40002");

const std::string plain_ehlo = "250-upstream.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
const std::string xclient_ehlo =
    "250-upstream.example\r\n250-PIPELINING\r\n250-XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT\r\n250 "
    "8BITMIME\r\n";
const std::string xforward_ehlo =
    "250-upstream.example\r\n250-PIPELINING\r\n250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n250 8BITMIME\r\n";
const std::string of_ann =
    "XCLIENT HELO=client.example PROTO=ESMTP DESTADDR=192.0.2.25 DESTPORT=25 PORT=40001 NAME=[TEMPUNAVAIL] "
    "ADDR=198.51.100.7";

class ClientInfoTest : public testing::Test {
 protected:
  void tell_by(ClientInfoWay way) { world.settings.upstreams["default"].client_info = way; }
  void connect(SocketAddress from, const std::string& helo = "client.example") {
    world.connect(from);
    world.heard();
    world.say("EHLO " + helo + "\r\n");
  }
  // The answer to RCPT of a mail that is not sent.
  std::string ask() {
    world.say("MAIL FROM:<ann@example.org>\r\n");
    return world.say("RCPT TO:<bob@example.com>\r\n");
  }
  void send_mail() {
    EXPECT_EQ(ask().substr(0, 4), "250 ");
    EXPECT_EQ(world.say("DATA\r\n").substr(0, 4), "354 ");
    EXPECT_EQ(world.say("Subject: x\r\n\r\nhello\r\n.\r\n").substr(0, 4), "250 ");
  }
  void leave() { world.say("QUIT\r\n"); }
  // The commands since the last call, each up to its first space, XCLIENT and EHLO whole.
  std::vector<std::string> commands() {
    std::vector<std::string> since;
    for (; seen < world.upstream.commands.size(); ++seen) {
      const std::string& line = world.upstream.commands[seen];
      const bool is_whole = line.starts_with("X") || line.starts_with("EHLO");
      since.push_back(is_whole ? line : line.substr(0, line.find(' ')));
    }
    return since;
  }
  std::size_t faults_logged() const {
    std::size_t count = 0;
    for (const LoggedEvent& event : world.log.events) {
      if (event.event == "fault" && event.field("kind") == "client_info") ++count;
    }
    return count;
  }

  World world;
  std::size_t seen = 0;
};

using Commands = std::vector<std::string>;

TEST_F(ClientInfoTest, NothingIsSaidByDefault) {
  world.upstream.replies["EHLO"] = xclient_ehlo;
  connect(ann);
  send_mail();
  EXPECT_EQ(commands(), (Commands{"EHLO mx.example.com", "MAIL", "RCPT", "DATA"}));
}

TEST_F(ClientInfoTest, XclientComesBeforeMailAndEhloInTheClientsNameBehindIt) {
  tell_by(ClientInfoWay::xclient);
  world.upstream.replies["EHLO"] = xclient_ehlo;
  world.upstream.replies["XCLIENT"] = "220 upstream.example ESMTP\r\n";
  connect(ann);
  send_mail();
  EXPECT_EQ(commands(), (Commands{"EHLO mx.example.com", of_ann, "EHLO client.example", "MAIL", "RCPT", "DATA"}));
  send_mail();  // the server knows
  EXPECT_EQ(commands(), (Commands{"MAIL", "RCPT", "DATA"}));
  leave();
  connect(eve, "eve+evil=1");
  send_mail();
  EXPECT_EQ(commands(), (Commands{"XCLIENT HELO=eve+2Bevil+3D1 PROTO=ESMTP DESTADDR=192.0.2.25 DESTPORT=25 PORT=40002 "
                                  "NAME=[TEMPUNAVAIL] ADDR=IPV6:2001:db8::7",
                                  "EHLO mx.example.com", "MAIL", "RCPT", "DATA"}));
  EXPECT_EQ(world.upstream.connections, 1);
}

// Postfix offers XCLIENT no more once it has been told of a client that has no right to it.
TEST_F(ClientInfoTest, AConnectionThatCanBeToldOnceServesOneClient) {
  tell_by(ClientInfoWay::xclient);
  world.upstream.replies["EHLO"] = plain_ehlo;
  world.upstream.replies["XCLIENT"] = "220 upstream.example ESMTP\r\n";
  world.upstream.queued["EHLO"] = {xclient_ehlo, plain_ehlo, xclient_ehlo, plain_ehlo};
  connect(ann);
  send_mail();
  send_mail();
  leave();
  connect(eve);
  send_mail();
  leave();
  EXPECT_EQ(world.upstream.connections, 2);
  EXPECT_EQ(world.upstream.stored.size(), 3U);
  EXPECT_EQ(world.counters.get(Fault::client_info), 0U);
}

TEST_F(ClientInfoTest, AKeptConnectionOfAnotherClientGivesWay) {
  tell_by(ClientInfoWay::xclient);
  world.settings.upstreams["default"].max_connections = 1;
  world.upstream.replies["XCLIENT"] = "220 upstream.example ESMTP\r\n";
  world.upstream.queued["EHLO"] = {xclient_ehlo, plain_ehlo, xclient_ehlo, plain_ehlo};
  connect(ann);
  send_mail();
  leave();
  connect(eve);
  send_mail();
  EXPECT_EQ(world.upstream.stored.size(), 2U);
  EXPECT_EQ(world.upstream.connections, 2);
}

TEST_F(ClientInfoTest, MailGoesWithoutXclientWhereItIsNotHadAndThatIsNoticed) {
  tell_by(ClientInfoWay::xclient);
  world.upstream.replies["EHLO"] = plain_ehlo;
  connect(ann);
  send_mail();
  send_mail();
  EXPECT_EQ(commands(), (Commands{"EHLO mx.example.com", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA"}));
  EXPECT_EQ(world.counters.get(Fault::client_info), 1U);
  EXPECT_EQ(faults_logged(), 1U);
}

TEST_F(ClientInfoTest, MailGoesWhereXclientIsOfferedAndRefused) {
  for (const std::string refusal : {"550 5.7.0 Error: insufficient authorization\r\n", "501 5.5.4 bad\r\n",
                                    "502 5.5.1 not implemented\r\n", "550 no\r\n"}) {
    World other;
    other.settings.upstreams["default"].client_info = ClientInfoWay::xclient;
    other.upstream.replies["EHLO"] = xclient_ehlo;
    other.upstream.replies["XCLIENT"] = refusal;
    other.greet();
    other.say("MAIL FROM:<ann@example.org>\r\n");
    EXPECT_EQ(other.say("RCPT TO:<bob@example.com>\r\n"), "250 2.1.5 Ok\r\n") << refusal;
    EXPECT_EQ(other.counters.get(Fault::client_info), 1U) << refusal;
  }
}

TEST_F(ClientInfoTest, AServersRefusalOfTheClientIsTheAnswer) {
  tell_by(ClientInfoWay::xclient);
  world.upstream.replies["EHLO"] = xclient_ehlo;
  world.upstream.replies["XCLIENT"] = "554 5.7.1 Client host rejected\r\n";
  connect(ann);
  EXPECT_EQ(ask(), "554 5.7.1 Client host rejected\r\n");
  leave();
  // That was about one client, and its connection is not used again.
  world.upstream.replies["XCLIENT"] = "220 upstream.example ESMTP\r\n";
  connect(eve);
  send_mail();
  leave();
  EXPECT_EQ(world.upstream.connections, 2);
  world.upstream.queued["EHLO"] = {"450 4.7.1 Helo command rejected\r\n"};
  connect(ann);
  EXPECT_EQ(ask(), "450 4.7.1 Helo command rejected\r\n");
  EXPECT_EQ(world.counters.get(Fault::upstream_down), 0U);
  EXPECT_EQ(world.counters.get(Fault::client_info), 0U);
}

TEST_F(ClientInfoTest, ANewConnectionInPlaceOfADeadOneIsToldToo) {
  tell_by(ClientInfoWay::xclient);
  world.upstream.replies["EHLO"] = xclient_ehlo;
  world.upstream.replies["XCLIENT"] = "220 upstream.example ESMTP\r\n";
  connect(ann);
  send_mail();
  commands();
  world.upstream.queued["MAIL"] = {"close"};
  send_mail();
  EXPECT_EQ(commands(),
            (Commands{"MAIL", "EHLO mx.example.com", of_ann, "EHLO client.example", "MAIL", "RCPT", "DATA"}));
}

TEST_F(ClientInfoTest, XforwardIsSaidForEachMail) {
  tell_by(ClientInfoWay::xforward);
  world.upstream.replies["EHLO"] = xforward_ehlo;
  world.upstream.replies["XFORWARD"] = "250 2.0.0 Ok\r\n";
  for (const std::string& ehlo : {xforward_ehlo, std::string("250-u.example\r\n250 XFORWARD NAME ADDR\r\n")}) {
    World other;
    other.settings.upstreams["default"].client_info = ClientInfoWay::xforward;
    other.upstream.replies["EHLO"] = ehlo;
    other.upstream.replies["XFORWARD"] = "250 2.0.0 Ok\r\n";
    other.connect(ann);
    other.heard();
    other.say("EHLO client.example\r\n");
    for (int mail = 0; mail < 2; ++mail) {
      other.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n");
      EXPECT_EQ(other.say("Subject: x\r\n\r\nhello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
    }
    std::vector<std::string> said;
    for (const std::string& line : other.upstream.commands)
      if (line.starts_with("XFORWARD")) said.push_back(line);
    ASSERT_EQ(said.size(), 2U);
    EXPECT_NE(said[0].find("NAME=[UNAVAILABLE] ADDR=198.51.100.7"), std::string::npos) << said[0];
    EXPECT_EQ(other.upstream.connections, 1);
  }
  connect(ann);
  send_mail();
  leave();
  connect(eve);
  send_mail();
  const Commands said = commands();
  ASSERT_EQ(said.size(), 9U);
  EXPECT_TRUE(said[1].starts_with("XFORWARD HELO=client.example PROTO=ESMTP IDENT=")) << said[1];
  EXPECT_TRUE(said[1].ends_with(" SOURCE=REMOTE PORT=40001 NAME=[UNAVAILABLE] ADDR=198.51.100.7")) << said[1];
  EXPECT_TRUE(said[5].ends_with(" SOURCE=REMOTE PORT=40002 NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::7")) << said[5];
}

TEST_F(ClientInfoTest, MailGoesWhereXforwardIsRefused) {
  tell_by(ClientInfoWay::xforward);
  world.upstream.replies["EHLO"] = xforward_ehlo;
  world.upstream.replies["XFORWARD"] = "550 5.7.0 Error: insufficient authorization\r\n";
  connect(ann);
  send_mail();
  EXPECT_EQ(world.counters.get(Fault::client_info), 1U);
}

// The name that DNS has for the client is said; that there is none is said otherwise than that nobody looked.
TEST(ClientAttributes, TellWhatIsKnownOfTheName) {
  ClientInfo client{ann, *SocketAddress::parse("192.0.2.25:25"), "mail.ann.example", false, "ann", true, "1"};
  ClientInfo nameless = client;
  nameless.name.clear();
  nameless.is_nameless = true;
  const Endpoint server = first_server;
  ClientInfo unasked = nameless;
  unasked.is_nameless = false;
  EXPECT_NE(identity_of(ClientInfoWay::xclient, &client, server),
            identity_of(ClientInfoWay::xclient, &nameless, server));
  EXPECT_NE(identity_of(ClientInfoWay::xclient, &unasked, server),
            identity_of(ClientInfoWay::xclient, &nameless, server));
  EXPECT_EQ(identity_of(ClientInfoWay::xclient, nullptr, server), "");
  EXPECT_EQ(identity_of(ClientInfoWay::xforward, &client, server), "");
  EXPECT_EQ(identity_of(ClientInfoWay::headers, &client, server), "");
  EXPECT_NE(identity_of(ClientInfoWay::proxy_v1, nullptr, server), "");
}

// ---- PROXY ----

class ProxyBehind : public ClientInfoTest, public testing::WithParamInterface<ClientInfoWay> {
 protected:
  ProxyBehind() {
    tell_by(GetParam());
    world.dialer.serve(first_server, [this](std::unique_ptr<support::MemoryStream> stream) {
      return serve(std::move(stream), headers, world.upstream);
    });
  }
  // A server that takes the header for what it is. It says nothing before.
  static Task<void> serve(std::unique_ptr<support::MemoryStream> stream, std::vector<smtp::ProxyHeader>& headers,
                          FakeUpstream& upstream) {
    while (true) {
      const auto header = smtp::read_proxy_header(stream->input());
      if (header) {
        headers.push_back(*header);
        stream->consume(header->consumed);
        break;
      }
      if (header.error() == smtp::ProxyError::invalid) co_return stream->abort();
      auto more = co_await stream->fill(async::no_deadline);
      if (!more) co_return;
    }
    co_await upstream.serve(std::move(stream));
  }
  std::vector<smtp::ProxyHeader> headers;
};

INSTANTIATE_TEST_SUITE_P(Versions, ProxyBehind, testing::Values(ClientInfoWay::proxy_v1, ClientInfoWay::proxy_v2));

TEST_P(ProxyBehind, EachClientHasConnectionsOfItsOwn) {
  connect(ann);
  send_mail();
  send_mail();
  leave();
  connect(eve);
  send_mail();
  leave();
  connect(ann);
  send_mail();
  // The first is the probe's, which speaks for us.
  ASSERT_EQ(headers.size(), 3U);
  EXPECT_EQ(headers[0].source, std::nullopt);
  EXPECT_EQ(headers[1].source, ann);
  EXPECT_EQ(headers[1].destination, SocketAddress::parse("192.0.2.25:25"));
  EXPECT_EQ(headers[2].source, eve);
  EXPECT_EQ(world.upstream.stored.size(), 4U);
}

TEST_P(ProxyBehind, AKeptConnectionOfAnotherClientGivesWay) {
  world.settings.upstreams["default"].max_connections = 1;
  connect(ann);
  send_mail();
  leave();
  connect(eve);
  send_mail();
  EXPECT_EQ(world.upstream.stored.size(), 2U);
}

TEST_P(ProxyBehind, AGreetingThatRefusesTheClientSaysNothingOfTheServer) {
  connect(ann);
  world.upstream.queued[""] = {"554 5.7.1 Your address is blocked\r\n", "421 4.7.0 Too many connections from you\r\n"};
  EXPECT_EQ(ask(), "554 5.7.1 Your address is blocked\r\n");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n"), "451 4.7.0 Too many connections from you\r\n");
  leave();
  connect(eve);
  send_mail();
  EXPECT_EQ(world.counters.get(Fault::upstream_down), 0U);
}

}  // namespace
}  // namespace sallyport::upstream
