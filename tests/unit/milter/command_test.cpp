// Commands on the wire and back.
#include "gateway/milter/command.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::milter {
namespace {

using namespace std::string_literals;

std::string wire(const Command& command) {
  std::string out;
  encode(out, command);
  return out;
}

std::optional<Command> decode(char letter, std::string_view data) { return decode_command({letter, data}); }

// The packet's octets of a decoded command that is encoded again.
void expect_round_trip(const Command& command) {
  const std::string octets = wire(command);
  const auto decoded = decode_command({octets[4], std::string_view(octets).substr(5)});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->index(), command.index());
  EXPECT_EQ(wire(*decoded), octets);
}

TEST(Commands, SurviveTheWire) {
  expect_round_trip(Terms{6, action::all, option::all});
  expect_round_trip(Macros{Verb::connect, {{"j", "mx.example"}, {"{client_addr}", ""}}});
  expect_round_trip(Connect{"host.example", SocketAddress{*IpAddress::parse("192.0.2.1"), 12345}, {}});
  expect_round_trip(Connect{"[IPv6:2001:db8::1]", SocketAddress{*IpAddress::parse("2001:db8::1"), 25}, {}});
  expect_round_trip(Connect{"localhost", std::nullopt, "/run/x.sock"});
  expect_round_trip(Connect{"unknown", std::nullopt, {}});
  expect_round_trip(Helo{"client.example"});
  expect_round_trip(Mail{"<ann@example.org>", {"SIZE=10", "BODY=8BITMIME"}});
  expect_round_trip(Rcpt{"<bob@example.com>", {}});
  expect_round_trip(Data{});
  expect_round_trip(Header{"Subject", "hello\n\tworld"});
  expect_round_trip(EndOfHeader{});
  expect_round_trip(Body{"octets\r\n\0"s});
  expect_round_trip(EndOfMessage{});
  expect_round_trip(Unknown{"HELP me"});
  expect_round_trip(Abort{});
  expect_round_trip(QuitAndReuse{});
  expect_round_trip(Quit{});
}

// The exchange that the real library was seen to have.
TEST(Commands, AreAsTheLibraryHasThem) {
  EXPECT_EQ(wire(Terms{6, 0x1ff, 0x1fffff}), "\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff"s);
  EXPECT_EQ(wire(Connect{"host.test", SocketAddress{*IpAddress::parse("1.2.3.4"), 12345}, {}}),
            "\0\0\0\x16"
            "Chost.test\0"
            "4\x30\x39"
            "1.2.3.4\0"s);
  EXPECT_EQ(wire(Mail{"<a@b>", {"SIZE=10", "BODY=8BITMIME"}}), "\0\0\0\x1dM<a@b>\0SIZE=10\0BODY=8BITMIME\0"s);
  EXPECT_EQ(wire(Macros{Verb::mail, {{"i", "QID1"}}}), "\0\0\0\x09"s + "DMi\0QID1\0"s);
}

TEST(Commands, FromSendmailNameIpv6AddressesWithATag) {
  const std::string data = "host\0"s + "6\0\x19"s + "IPv6:2001:db8::7\0"s;
  const auto command = decode('C', data);
  ASSERT_TRUE(command);
  EXPECT_EQ(std::get<Connect>(*command).address, (SocketAddress{*IpAddress::parse("2001:db8::7"), 25}));
}

TEST(Commands, OfAnUnknownFamilySayNothingMore) {
  for (const std::string& data : {"host\0U"s, "host\0Uwhatever"s}) {
    const auto command = decode('C', data);
    ASSERT_TRUE(command);
    EXPECT_FALSE(std::get<Connect>(*command).address);
  }
}

TEST(Commands, ThatDoNotFitAreNone) {
  const std::pair<char, std::string> broken[] = {
      {'x', ""},
      {'\0', ""},
      {'O', "\0\0\0\x06\0\0\0\0\0\0\0"s},     // too short
      {'O', "\0\0\0\x06\0\0\0\0\0\0\0\0x"s},  // too long
      {'D', ""},
      {'D', "?j\0x\0"s},     // for no command
      {'D', "Cj\0x"s},       // its last text does not end
      {'D', "Cj\0x\0y\0"s},  // a name without a value
      {'D', "C\0x\0"s},      // a value without a name
      {'C', ""},
      {'C', "host\0"s},
      {'C', "host\0"s + "4"},
      {'C', "host\0"s + "4\0\x19"s + "1.2.3.4"},                // without NUL
      {'C', "host\0"s + "4\0\x19"s + "1.2.3\0"s},               // no address
      {'C', "host\0"s + "4\0\x19"s + "2001:db8::1\0"s},         // of the other family
      {'C', "host\0"s + "6\0\x19"s + "192.0.2.1\0"s},           // of the other family
      {'C', "host\0"s + "4\0\x19"s + "192.0.2.1\0"s + "more"},  // and then more
      {'C', "host\0"s + "5\0\x19"s + "192.0.2.1\0"s},           // of no family
      {'H', ""},
      {'H', "name"},
      {'H', "name\0name\0"s},
      {'M', ""},
      {'M', "\0"s},
      {'M', "<a@b>"},
      {'R', "<a@b>\0NOTIFY=NEVER"s},
      {'T', "x"},
      {'L', "name\0"s},
      {'L', "\0value\0"s},
      {'L', "name\0value"s},
      {'L', "name\0value\0more\0"s},
      {'N', "\0"s},
      {'A', "\0"s},
      {'K', "\0"s},
      {'Q', "\0"s},
  };
  for (const auto& [letter, data] : broken)
    EXPECT_FALSE(decode(letter, data)) << letter << " " << testing::PrintToString(data);
}

// threats.md F7.
TEST(Commands, NoTextOfAPeerAddsOrEndsAMacro) {
  const std::string octets = wire(Macros{Verb::helo, {{"{cert_subject}", "evil\0{auth_authen}\0root"s}}});
  const auto decoded = decode_command({octets[4], std::string_view(octets).substr(5)});
  ASSERT_TRUE(decoded);
  const Macros& macros = std::get<Macros>(*decoded);
  ASSERT_EQ(macros.values.size(), 1u);
  EXPECT_EQ(macros.values[0].second, "evil{auth_authen}root");
}

}  // namespace
}  // namespace sallyport::milter
