// TCP, when an answer does not fit into a packet: threats.md D2.
#include <gtest/gtest.h>

#include "tests/unit/resolver/world.h"

namespace sallyport::resolver {
namespace {

using dns::Status;
using support::question_of;

const dns::Question example_txt{"big.example.org", dns::Type::TXT};

World& truncating(World& world) {
  world.network.set_responder(
      [](SocketAddress, std::string_view query) { return just(DnsPacket::reply_to(query).truncated()); });
  return world;
}

DnsPacket big_reply(std::string_view query) {
  DnsPacket reply = DnsPacket::reply_to(query);
  for (int n = 0; n < 200; ++n) reply.txt(question_of(query).name, std::string(250, static_cast<char>('a' + n % 26)));
  return reply;
}

void expect_failure(World& world) {
  EXPECT_EQ(world.ask(example_txt).status, Status::servfail);
  world.expect_recorded(Fault::dns_error, 1);
  EXPECT_EQ(world.dialer.dialled().size(), 1u);
}

TEST(Tcp, GivesWhatDidNotFit) {
  World world;
  truncating(world).serve_tcp(first_server, [](std::string_view query) { return big_reply(query).framed(); });
  dns::Answer answer = world.ask(example_txt);
  EXPECT_EQ(answer.status, Status::ok);
  EXPECT_EQ(answer.records.size(), 200u);
  EXPECT_EQ(world.questions(), 2u);
}

TEST(Tcp, GivesTheSameOneOctetAtATime) {
  World world;
  truncating(world);
  support::Faults slow;
  slow.piece_octets = 1;
  world.dialer.serve(first_server, [&slow](std::unique_ptr<support::MemoryStream> stream) {
    stream->set_write_faults(slow);
    auto answer = [](std::string_view query) { return big_reply(query).framed(); };
    return serve_one(std::move(stream), answer);
  });
  EXPECT_EQ(world.ask(example_txt).records.size(), 200u);
}

TEST(Tcp, RefusedIsAFailure) {
  World world;
  truncating(world).dialer.fail_all(io::Error::refused);
  expect_failure(world);
}

TEST(Tcp, ClosedAtOnceIsAFailure) {
  World world;
  truncating(world).dialer.accept_all([](std::unique_ptr<support::MemoryStream>) {});
  expect_failure(world);
}

TEST(Tcp, CutShortIsAFailure) {
  World world;
  truncating(world).serve_tcp(first_server, [](std::string_view query) {
    std::string reply = big_reply(query).framed();
    return reply.substr(0, reply.size() - 1);
  });
  expect_failure(world);
}

TEST(Tcp, ALengthOfNothingIsAFailure) {
  for (std::size_t length : {0, 1, 11}) {
    World world;
    truncating(world).serve_tcp(first_server, [length](std::string_view query) {
      return support::dns_number16(static_cast<std::uint32_t>(length)) + big_reply(query).octets();
    });
    expect_failure(world);
    world.expect_recorded(Violation::dns_malformed, 1);
  }
}

TEST(Tcp, ALengthThatCutsTheMessageIsAFailure) {
  World world;
  truncating(world).serve_tcp(first_server, [](std::string_view query) {
    std::string octets = big_reply(query).octets();
    return support::dns_number16(static_cast<std::uint32_t>(octets.size() - 1)) + octets;
  });
  expect_failure(world);
  world.expect_recorded(Violation::dns_malformed, 1);
}

TEST(Tcp, TruncatedAgainIsAFailure) {
  World world;
  truncating(world).serve_tcp(first_server,
                              [](std::string_view query) { return DnsPacket::reply_to(query).truncated().framed(); });
  expect_failure(world);
}

TEST(Tcp, AnAnswerToSomethingElseIsAFailure) {
  World world;
  truncating(world).serve_tcp(first_server, [](std::string_view query) {
    return big_reply(query).id(static_cast<std::uint16_t>(question_of(query).id + 1)).framed();
  });
  expect_failure(world);
  world.expect_recorded(Violation::dns_spoof, 1);
}

TEST(Tcp, SilenceEndsWithTheQuestionsTime) {
  World world;
  truncating(world).dialer.fail_all(io::Error::timed_out);
  Time before = world.loop.now();
  EXPECT_EQ(world.ask(example_txt).status, Status::timeout);
  EXPECT_LT(world.loop.now() - before, milliseconds(5050));
}

TEST(Tcp, SilenceAfterConnectingEndsWithTheQuestionsTime) {
  World world;
  std::vector<std::unique_ptr<support::MemoryStream>> silent;
  truncating(world).dialer.accept_all(
      [&silent](std::unique_ptr<support::MemoryStream> stream) { silent.push_back(std::move(stream)); });
  Time before = world.loop.now();
  EXPECT_EQ(world.ask(example_txt).status, Status::timeout);
  EXPECT_LT(world.loop.now() - before, milliseconds(5050));
}

TEST(Tcp, AFailureLeavesTheOtherServer) {
  World world({first_server, second_server});
  world.network.set_responder([](SocketAddress to, std::string_view query) {
    if (to == first_server) return just(DnsPacket::reply_to(query).truncated());
    return just(DnsPacket::reply_to(query).txt(question_of(query).name, "small"));
  });
  EXPECT_EQ(world.ask(example_txt).records, std::vector<dns::RecordData>{std::string("small")});
}

}  // namespace
}  // namespace sallyport::resolver
