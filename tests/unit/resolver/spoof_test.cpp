// What may and may not pass for the answer to a question by UDP: threats.md D1, D4, D5.
#include <gtest/gtest.h>

#include <set>

#include "gateway/base/text.h"
#include "tests/unit/resolver/world.h"

namespace sallyport::resolver {
namespace {

using dns::Status;
using support::MemoryPacket;
using support::question_of;

const std::vector<dns::RecordData> truth = one_address("192.0.2.1");

// A false answer first, the true one a moment later.
dns::Answer ask_with_forgery(World& world, std::function<DnsPacket(std::string_view query)> forge) {
  world.network.set_responder([forge](SocketAddress, std::string_view query) {
    return std::vector<MemoryPacket>{{forge(query).octets(), {}}, {address_reply(query).octets(), milliseconds(5)}};
  });
  return world.ask(example_a);
}

DnsPacket forged(std::string_view query) { return address_reply(query, "203.0.113.66"); }

TEST(Spoof, TheRightAnswerIsTaken) {
  World world;
  world.network.set_responder(reply_with_address);
  dns::Answer answer = world.ask(example_a);
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_EQ(answer.records, truth);
  EXPECT_EQ(answer.ttl, seconds(300));
  EXPECT_FALSE(answer.from_cache);
  world.expect_recorded(Violation::dns_spoof, 0);
  EXPECT_EQ(world.questions(), 1u);
}

TEST(Spoof, ItsIdMustMatch) {
  World world;
  auto answer = ask_with_forgery(world, [](std::string_view query) {
    return forged(query).id(static_cast<std::uint16_t>(question_of(query).id ^ 1u));
  });
  EXPECT_EQ(answer.records, truth);
  world.expect_recorded(Violation::dns_spoof, 1);
}

TEST(Spoof, ItsQuestionMustMatch) {
  World world;
  auto answer = ask_with_forgery(world, [](std::string_view query) {
    return DnsPacket::response("other.example.org", dns::Type::A)
        .id(question_of(query).id)
        .a("host.example.org", "203.0.113.66");
  });
  EXPECT_EQ(answer.records, truth);
  world.expect_recorded(Violation::dns_spoof, 1);
}

TEST(Spoof, ItsTypeMustMatch) {
  World world;
  auto answer = ask_with_forgery(world, [](std::string_view query) {
    auto question = question_of(query);
    return DnsPacket::response(question.name, dns::Type::AAAA).id(question.id).a(question.name, "203.0.113.66");
  });
  EXPECT_EQ(answer.records, truth);
  world.expect_recorded(Violation::dns_spoof, 1);
}

TEST(Spoof, ItsClassMustMatch) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    std::string forgery = DnsPacket::reply_to(query).octets();
    forgery.back() = 3;  // the last octet of a packet without records is that of the class
    return std::vector<MemoryPacket>{{forgery, {}}, {address_reply(query).octets(), milliseconds(5)}};
  });
  EXPECT_EQ(world.ask(example_a).records, truth);
  world.expect_recorded(Violation::dns_spoof, 1);
}

TEST(Spoof, ItsOpcodeMustMatch) {
  World world;
  auto answer = ask_with_forgery(world, [](std::string_view query) { return forged(query).flags(0xa180); });
  EXPECT_EQ(answer.records, truth);
  world.expect_recorded(Violation::dns_spoof, 1);
}

TEST(Spoof, AQueryIsNoAnswer) {
  World world;
  auto answer = ask_with_forgery(world, [](std::string_view query) { return forged(query).flags(0x0100); });
  EXPECT_EQ(answer.records, truth);
  world.expect_recorded(Violation::dns_spoof, 1);
}

TEST(Spoof, AHeaderAloneIsNoAnswer) {
  World world;
  auto answer =
      ask_with_forgery(world, [](std::string_view query) { return DnsPacket::bare(question_of(query).id).rcode(3); });
  EXPECT_EQ(answer.records, truth);
  world.expect_recorded(Violation::dns_spoof, 1);
}

TEST(Spoof, AMalformedPacketIsDropped) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    std::string broken = forged(query).octets();
    broken.pop_back();
    return std::vector<MemoryPacket>{
        {broken, {}}, {"", {}}, {"x", {}}, {address_reply(query).octets(), milliseconds(5)}};
  });
  EXPECT_EQ(world.ask(example_a).records, truth);
  world.expect_recorded(Violation::dns_malformed, 3);
  world.expect_recorded(Violation::dns_spoof, 0);
}

// D4: each of them is dropped, and the true answer taken that comes after it.
TEST(Spoof, NamesAndDataThatCannotBeAreDropped) {
  using Section = DnsPacket::Section;
  const std::string address = "\xcb\x00\x71\x42";
  const std::string label = support::dns_string(std::string(63, 'x'));
  const std::vector<std::function<void(DnsPacket&, std::uint16_t at)>> breaks{
      [&](DnsPacket& packet, std::uint16_t at) {  // a pointer to itself
        packet.record(Section::answer, support::dns_pointer(at), 1, 300, address);
      },
      [&](DnsPacket& packet, std::uint16_t at) {  // a loop of two
        packet.record(Section::answer, support::dns_string("a") + support::dns_pointer(at), 1, 300, address);
      },
      [&](DnsPacket& packet, std::uint16_t at) {  // forward
        packet.record(Section::answer, support::dns_pointer(static_cast<std::uint16_t>(at + 2)), 1, 300, address);
      },
      [&](DnsPacket& packet, std::uint16_t) {  // a name over 255 octets
        packet.record(Section::answer, label + label + label + label + '\0', 1, 300, address);
      },
      [&](DnsPacket& packet, std::uint16_t) {  // an address of five octets
        packet.record(Section::answer, support::dns_pointer(12), 1, 300, address + "x");
      },
  };
  for (const auto& make_broken : breaks) {
    World world;
    world.network.set_responder([&](SocketAddress, std::string_view query) {
      DnsPacket broken = DnsPacket::reply_to(query);
      make_broken(broken, static_cast<std::uint16_t>(broken.octets().size()));
      return std::vector<MemoryPacket>{{broken.octets(), {}}, {address_reply(query).octets(), milliseconds(5)}};
    });
    EXPECT_EQ(world.ask(example_a).records, truth);
    world.expect_recorded(Violation::dns_malformed, 1);
    world.expect_recorded(Violation::dns_spoof, 0);
    EXPECT_TRUE(world.dialer.dialled().empty());
  }
}

TEST(Spoof, WhoseDataRunsOverThePacketIsDropped) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    std::string broken = forged(query).octets();
    broken[broken.size() - 5] = 5;  // the data's length was 4
    return std::vector<MemoryPacket>{{broken, {}}, {address_reply(query).octets(), milliseconds(5)}};
  });
  EXPECT_EQ(world.ask(example_a).records, truth);
  world.expect_recorded(Violation::dns_malformed, 1);
}

TEST(Spoof, AfterTwentyTriesTheQuestionGoesByTcp) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    std::uint16_t id = question_of(query).id;
    std::vector<MemoryPacket> packets;
    for (std::uint16_t n = 1; n <= 30; ++n) {
      packets.push_back({forged(query).id(static_cast<std::uint16_t>(id + n)).octets(), {}});
    }
    packets.push_back({forged(query).octets(), milliseconds(1)});  // guessed, but too late
    return packets;
  });
  world.serve_tcp(first_server, [](std::string_view query) { return address_reply(query).framed(); });
  EXPECT_EQ(world.ask(example_a).records, truth);
  world.expect_recorded(Violation::dns_spoof, 20);
  EXPECT_EQ(world.dialer.dialled(), std::vector{first_server});
  EXPECT_EQ(world.questions(), 2u);
}

TEST(Spoof, NineteenTriesAreIgnored) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    std::vector<MemoryPacket> packets(19, {"nonsense", {}});
    packets.push_back({address_reply(query).octets(), milliseconds(1)});
    return packets;
  });
  EXPECT_EQ(world.ask(example_a).records, truth);
  EXPECT_TRUE(world.dialer.dialled().empty());
}

TEST(Spoof, RightButForTheCaseIsAskedAgainByTcp) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    auto question = question_of(query);
    std::string name = question.name;
    name[0] = name[0] == 'h' ? 'H' : 'h';
    return just(DnsPacket::response(name, dns::Type::A).id(question.id).a(name, "203.0.113.66"));
  });
  // A server that does not keep the case.
  world.serve_tcp(first_server, [](std::string_view query) {
    auto question = question_of(query);
    std::string name = text::to_lower(question.name);
    return DnsPacket::response(name, dns::Type::A).id(question.id).a(name, "192.0.2.1").framed();
  });
  EXPECT_EQ(world.ask(example_a).records, truth);
  world.expect_recorded(Violation::dns_spoof, 1);
}

TEST(Spoof, QuestionsCannotBeForeseen) {
  World world;
  world.network.set_responder(reply_with_address);
  for (int n = 0; n < 50; ++n)
    world.ask({"host" + std::to_string(n) + ".a-name-of-many-letters.example", dns::Type::A});
  std::set<std::uint16_t> ids;
  std::set<std::string> cases;
  std::set<std::size_t> sockets;
  for (const auto& sent : world.network.sent()) {
    ids.insert(question_of(sent.packet).id);
    std::string name = question_of(sent.packet).name;
    cases.insert(name.substr(name.find('.')));
    sockets.insert(sent.socket);
  }
  EXPECT_GT(ids.size(), 45u);
  EXPECT_EQ(cases.size(), 50u);
  EXPECT_EQ(sockets.size(), 50u) << "one socket, and so one port, for each question";
  EXPECT_EQ(world.network.sockets_open(), 0u);
}

TEST(Spoof, TheCaseStaysWhenItIsToldTo) {
  World world;
  world.settings.use_0x20 = false;
  world.network.set_responder(reply_with_address);
  world.ask(example_a);
  EXPECT_EQ(question_of(world.network.sent()[0].packet).name, "host.example.org");
}

// -- D5
// -------------------------------------------------------------------------------------------------------------------

class WithoutEdns : public testing::TestWithParam<std::function<DnsPacket(std::string_view)>> {};

TEST(Edns, OffersPacketsThatFitEveryPath) {
  World world;
  world.network.set_responder(reply_with_address);
  world.ask(example_a);
  // RFC 6891, 6.1.2: the root as owner, type 41, and the size in the place of the class.
  std::string_view query = world.network.sent()[0].packet;
  EXPECT_EQ(query.substr(query.size() - 11, 5), std::string_view("\0\0\x29\x04\xd0", 5)) << "1232";
}

TEST(Edns, StaysForEveryOtherFailure) {
  for (unsigned rcode : {2u, 5u, 6u, 9u, 15u}) {
    World world;
    world.network.set_responder(
        [rcode](SocketAddress, std::string_view query) { return just(DnsPacket::reply_to(query).rcode(rcode)); });
    EXPECT_EQ(world.ask(example_a).status, Status::servfail) << rcode;
    ASSERT_EQ(world.network.sent().size(), 1u) << rcode;
    EXPECT_TRUE(question_of(world.network.sent()[0].packet).has_edns);
    world.expect_recorded(Fault::dns_error, 1);
  }
}

TEST_P(WithoutEdns, IsTriedOnce) {
  World world;
  auto refuse = GetParam();
  world.network.set_responder([refuse](SocketAddress, std::string_view query) {
    return just(question_of(query).has_edns ? refuse(query) : address_reply(query));
  });
  EXPECT_EQ(world.ask(example_a).records, truth);
  ASSERT_EQ(world.network.sent().size(), 2u);
  EXPECT_TRUE(question_of(world.network.sent()[0].packet).has_edns);
  EXPECT_FALSE(question_of(world.network.sent()[1].packet).has_edns);
}

TEST_P(WithoutEdns, IsNotTriedTwice) {
  World world;
  auto refuse = GetParam();
  world.network.set_responder([refuse](SocketAddress, std::string_view query) { return just(refuse(query)); });
  world.settings.timeout = seconds(1);
  EXPECT_TRUE(world.ask(example_a).failed());
  unsigned with_edns = 0;
  for (const auto& sent : world.network.sent()) with_edns += question_of(sent.packet).has_edns;
  EXPECT_EQ(with_edns, 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Refusals, WithoutEdns,
    testing::Values([](std::string_view query) { return DnsPacket::reply_to(query).rcode(1); },
                    [](std::string_view query) { return DnsPacket::reply_to(query).rcode(4); },
                    [](std::string_view query) { return DnsPacket::reply_to(query).opt(0x01000000); },
                    [](std::string_view query) { return DnsPacket::bare(question_of(query).id).rcode(1); }));

}  // namespace
}  // namespace sallyport::resolver
