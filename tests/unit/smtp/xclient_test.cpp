#include "gateway/smtp/xclient.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/smtp/extensions.h"
#include "gateway/smtp/xtext.h"

namespace sallyport::smtp {
namespace {

using namespace std::string_literals;
using A = ClientAttribute;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(Xtext, ComesBackWhateverIsInIt) {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  const std::string xtext = to_xtext(all);
  for (const char c : xtext) EXPECT_TRUE(c > ' ' && c < '\x7f' && c != '=') << xtext;
  EXPECT_EQ(from_xtext(xtext), all);
  EXPECT_EQ(to_xtext("a+b=c d"), "a+2Bb+3Dc+20d");
  EXPECT_EQ(from_xtext("a+2bc"), "a+c");
}

TEST(Xtext, IsRefusedWhenItIsNone) {
  for (const char* text : {"a b", "a=b", "+", "+2", "a+2G", "a+G2", "\x7f", "caf\xc3\xa9", "a\r\nb"})
    EXPECT_EQ(from_xtext(text), std::nullopt) << text;
  EXPECT_EQ(from_xtext("a\0b"s), std::nullopt);
}

TEST(ParseXclient, ReadsWhatPostfixDocuments) {
  const auto said = parse_xclient("NAME=spike.porcupine.org addr=168.100.189.2 PORT=4711 Proto=ESMTP HELO=spike+2Bx");
  ASSERT_TRUE(said);
  EXPECT_EQ(said->name, Said<std::string>("spike.porcupine.org"));
  EXPECT_EQ(said->addr, Said<IpAddress>(ip("168.100.189.2")));
  EXPECT_EQ(said->port, Said<std::uint16_t>(4711));
  EXPECT_EQ(said->extended, true);
  EXPECT_EQ(said->helo, Said<std::string>("spike+x"));
  EXPECT_EQ(said->login, std::nullopt);

  const auto more = parse_xclient("LOGIN=ann+40example.org DESTADDR=ipv6:2001:db8::25 DESTPORT=25 PROTO=smtp");
  ASSERT_TRUE(more);
  EXPECT_EQ(more->login, Said<std::string>("ann@example.org"));
  EXPECT_EQ(more->dest_addr, Said<IpAddress>(ip("2001:db8::25")));
  EXPECT_EQ(more->dest_port, Said<std::uint16_t>(25));
  EXPECT_EQ(more->extended, false);
}

TEST(ParseXclient, ReadsThatNothingIsKnown) {
  const auto said = parse_xclient("NAME=[tempunavail] ADDR=[UNAVAILABLE] PORT=[unavailable] HELO=[Unavailable]");
  ASSERT_TRUE(said);
  EXPECT_EQ(said->name, Said<std::string>(Availability::temporarily_unavailable));
  EXPECT_EQ(said->addr, Said<IpAddress>(Availability::unavailable));
  EXPECT_EQ(said->port, Said<std::uint16_t>(Availability::unavailable));
  EXPECT_EQ(said->helo, Said<std::string>(Availability::unavailable));
}

TEST(ParseXclient, RefusesWhatAStrangerMayNotSayEither) {
  const std::vector<std::pair<std::string, XclientError>> cases = {
      {"", XclientError::missing},
      {"  ", XclientError::missing},
      {"ADDR", XclientError::unknown},
      {"COLOR=red", XclientError::unknown},
      {"=x", XclientError::unknown},
      {"IDENT=1", XclientError::unknown},
      {"ADDR=192.0.2.1 ADDR=192.0.2.2", XclientError::repeated},
      {"ADDR=", XclientError::bad_value},
      {"ADDR=[192.0.2.1]", XclientError::bad_value},
      {"ADDR=2001:db8::1", XclientError::bad_value},
      {"ADDR=IPV6:192.0.2.1", XclientError::bad_value},
      {"ADDR=IPV6:2001:db8::1%25eth0", XclientError::bad_value},
      {"ADDR=192.0.2.256", XclientError::bad_value},
      {"ADDR=[TEMPUNAVAIL]", XclientError::bad_value},
      {"PORT=65536", XclientError::bad_value},
      {"PORT=-1", XclientError::bad_value},
      {"PROTO=HTTP", XclientError::bad_value},
      {"NAME=192.0.2.1", XclientError::bad_value},
      {"NAME=a..b", XclientError::bad_value},
      {"NAME=a+0D+0Ab.example", XclientError::bad_value},
      {"NAME=a+2", XclientError::bad_value},
      {"NAME=" + std::string(254, 'a'), XclientError::bad_value},
      {"HELO=", XclientError::bad_value},
      {"HELO=two+20words", XclientError::bad_value},
      {"HELO=a+00b", XclientError::bad_value},
      {"HELO=" + std::string(256, 'a'), XclientError::bad_value},
      {"LOGIN=a+0Ab", XclientError::bad_value},
      {"NAME=x=y", XclientError::bad_value},
  };
  for (const auto& [arguments, error] : cases) {
    const auto said = parse_xclient(arguments);
    ASSERT_FALSE(said) << arguments;
    EXPECT_EQ(said.error(), error) << arguments;
  }
}

ClientAttributes some_client() {
  ClientAttributes said;
  said.name = "mail.sender.example"s;
  said.addr = ip("2001:db8::7");
  said.port = std::uint16_t{40001};
  said.extended = true;
  said.helo = "mail.sender.example"s;
  said.dest_addr = ip("192.0.2.25");
  said.dest_port = std::uint16_t{25};
  said.ident = "01JD3K7Q"s;
  return said;
}

TEST(XclientCommands, SayWhatTheServerListsAndNothingElse) {
  EXPECT_EQ(xclient_commands(some_client(), {A::name, A::addr, A::proto, A::helo, A::port}),
            std::vector{"XCLIENT HELO=mail.sender.example PROTO=ESMTP PORT=40001 NAME=mail.sender.example "
                        "ADDR=IPV6:2001:db8::7\r\n"s});
  EXPECT_EQ(xclient_commands(some_client(), {A::addr, A::login, A::destaddr, A::destport, A::ident}),
            std::vector{"XCLIENT LOGIN=[UNAVAILABLE] DESTADDR=192.0.2.25 DESTPORT=25 ADDR=IPV6:2001:db8::7\r\n"s});
  EXPECT_TRUE(xclient_commands(some_client(), {A::helo, A::proto}).empty());
  EXPECT_TRUE(xclient_commands(some_client(), {}).empty());

  ClientAttributes nameless = some_client();
  nameless.name = Availability::temporarily_unavailable;
  EXPECT_EQ(xclient_commands(nameless, {A::name, A::addr}),
            std::vector{"XCLIENT NAME=[TEMPUNAVAIL] ADDR=IPV6:2001:db8::7\r\n"s});
  nameless.name.reset();
  EXPECT_EQ(xclient_commands(nameless, {A::name}), std::vector{"XCLIENT NAME=[UNAVAILABLE]\r\n"s});
}

TEST(XclientCommands, XforwardHasItsOwnAttributes) {
  EXPECT_EQ(xforward_commands(some_client(), {A::name, A::addr, A::port, A::proto, A::helo, A::ident, A::source,
                                              A::destaddr, A::login}),
            std::vector{"XFORWARD HELO=mail.sender.example PROTO=ESMTP IDENT=01JD3K7Q SOURCE=REMOTE PORT=40001 "
                        "NAME=mail.sender.example ADDR=IPV6:2001:db8::7\r\n"s});
  ClientAttributes odd = some_client();
  odd.name = Availability::temporarily_unavailable;
  odd.helo = "a<b>\"c"s;  // special in headers
  EXPECT_EQ(xforward_commands(odd, {A::name, A::helo}),
            std::vector{"XFORWARD HELO=[UNAVAILABLE] NAME=[UNAVAILABLE]\r\n"s});
}

// Whatever a client has said, no command is longer than 512 octets or has an octet that ends a line or a word.
TEST(XclientCommands, AreSplitWhenTheyAreLongAndHoldAnything) {
  for (std::size_t size : {200U, 250U, 255U}) {
    for (const char filling : {'a', '+', '=', ' ', '\r', '\n', '\0', '\xff'}) {
      ClientAttributes said = some_client();
      said.name = std::string(size, 'n');
      said.helo = std::string(size, filling);
      said.login = std::string(size, 'l');
      const AttributeSet all = {A::name, A::addr, A::port, A::proto, A::helo, A::login, A::destaddr, A::destport};
      const auto lines = xclient_commands(said, all);
      ASSERT_GE(lines.size(), 2U);
      for (const std::string& line : lines) {
        EXPECT_LE(line.size(), 512U);
        EXPECT_TRUE(line.starts_with("XCLIENT "));
        EXPECT_EQ(line.find_first_of("\r\n\0"s), line.size() - 2);
        EXPECT_EQ(line.find("ADDR=IPV6"s) != std::string::npos, &line == &lines.back()) << line;
      }
    }
  }
}

TEST(XclientCommands, AreReadAsTheyWereMeant) {
  const auto lines = xclient_commands(some_client(), xclient_attributes);
  ASSERT_EQ(lines.size(), 1U);
  const auto said = parse_xclient(std::string_view(lines[0]).substr(8, lines[0].size() - 10));
  ASSERT_TRUE(said);
  ClientAttributes expected = some_client();
  expected.ident.reset();
  expected.login = Availability::unavailable;
  EXPECT_EQ(*said, expected);
}

TEST(XclientKeyword, IsWrittenAndRead) {
  Extensions offered;
  offered.xclient = xclient_attributes;
  const auto lines = to_ehlo_lines(offered);
  ASSERT_EQ(lines, std::vector{"XCLIENT HELO PROTO LOGIN DESTADDR DESTPORT PORT NAME ADDR"s});
  EXPECT_EQ(read_ehlo_lines({"mx.example", lines[0]}).xclient, xclient_attributes);
  const Extensions read = read_ehlo_lines({"mx.example", "xclient name ADDR REVERSE_NAME", "XFORWARD ADDR SOURCE"});
  EXPECT_EQ(read.xclient, (AttributeSet{A::name, A::addr}));
  EXPECT_EQ(read.xforward, (AttributeSet{A::addr, A::source}));
  EXPECT_TRUE(read_ehlo_lines({"XCLIENT ADDR", "XCLIENT"}).xclient.is_empty());
  // What a server behind us lets us say is nothing that clients may say to us.
  EXPECT_TRUE(offer_for(Extensions{}, {read}).xclient.is_empty());
}

}  // namespace
}  // namespace sallyport::smtp
